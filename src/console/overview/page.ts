import { COUNT_MAX, type Overview, WINDOW_MS } from '../../operate/overview.js';
import type { Heartbeat } from '../../outbox/heartbeat.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { length, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export interface Sweeps {
  readonly nextSweepAt: Date | null;
  readonly batchSize: number;
}

/** Is it healthy now? A sentence, cards, each type, each process. `held`: how many events each lost process still holds. */
export function overviewPage(
  { words: w, language }: Visitor,
  { now, types, settled, oldestDueAt, capped }: Overview,
  processes: readonly Heartbeat[],
  held: ReadonlyMap<string, number>,
  sweeps: Sweeps,
): Html {
  const settledMinutes = WINDOW_MS / 60_000;
  const sum = (of: (counts: (typeof types)[number]) => number): number =>
    types.reduce((all, counts) => all + of(counts), 0);
  const many = (n: number): string => (n > COUNT_MAX ? `${COUNT_MAX.toLocaleString('en')}+` : String(n));
  const [pending, retrying, errored, unknown] = [
    sum((c) => c.pending),
    sum((c) => c.retrying),
    sum((c) => c.errored),
    sum((c) => c.unknown),
  ];
  const part = (n: number): string => (capped ? `${n}+` : many(n)); // of the newest only
  const card = (href: string, name: string, n: string): Html =>
    html`<li><a href="${href}"><span>${name}</span><b>${n}</b></a></li>`;
  const age = oldestDueAt ? length(Math.max(0, now.getTime() - oldestDueAt.getTime()), language) : null;
  return html`
<p class="note ${errored > 0 || !processes.some((one) => one.kind !== 'api' && one.state === 'alive') ? 'bad' : ''}">${
    errored > 0 ? html`${many(errored)} ${w.needsYou}` : w.healthy
  } · ${many(pending)} ${w.waiting}${age && html`, ${w.oldest} ${age}`}</p>
<ul class="cards">
${card('/console/events?state=pending', w.pending, many(pending))}${card('/console/events?state=retrying', w.retrying, part(retrying))}${card('/console/events?state=unknown', w.unknown, part(unknown))}${card('/console/events?state=errored', w.errored, many(errored))}
${card(`/console/events?state=handled&settled=${settledMinutes}`, `${w.handled} (${w.perMinute})`, many(settled))}<li><a href="/console/events?state=pending"><span>${w.oldest}</span><b>${age ?? '—'}</b></a></li>
</ul>
<p><small>${w.window}; ${w.handled}: ${w.perMinute}</small></p>
<h2>${w.perType}</h2>
<div class="wide" tabindex="0" role="region" aria-label="${w.perType}"><table><thead><tr><th scope="col">${w.type}</th><th scope="col">${w.pending}</th><th scope="col">${w.retrying}</th><th scope="col">${w.unknown}</th><th scope="col">${w.errored}</th><th scope="col">${w.handled}</th><th scope="col">${w.oldest}</th></tr></thead><tbody>
${types.map((counts) => {
  const cell = (state: string, n: string): Html =>
    html`<td><a href="/console/events?state=${state}&amp;type=${counts.type}">${n}</a></td>`;
  return html`<tr><th scope="row">${typeWordsOf(language, counts.type).name}<br><small>${counts.type}</small></th>${cell('pending', many(counts.pending))}${cell('retrying', part(counts.retrying))}${cell('unknown', part(counts.unknown))}${cell('errored', many(counts.errored))}${cell(`handled&settled=${settledMinutes}`, many(counts.settled))}<td>${counts.oldestDueAt ? length(Math.max(0, now.getTime() - counts.oldestDueAt.getTime()), language) : '—'}</td></tr>`;
})}
</tbody></table></div>
<h2>${w.processes}</h2>
${processes.length === 0 ? html`<p class="note bad">${w.noProcess}</p>` : processTable(processes, held, sweeps, w, now, language)}`;
}

function processTable(
  processes: readonly Heartbeat[],
  held: ReadonlyMap<string, number>,
  { nextSweepAt, batchSize }: Sweeps,
  w: Visitor['words'],
  now: Date,
  language: Visitor['language'],
): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.processes}"><table><thead><tr><th scope="col">${w.worker}</th><th scope="col">${w.state}</th><th scope="col">${w.build}</th><th scope="col">${w.started}</th><th scope="col">${w.lastSeen}</th><th scope="col">${w.lastSweep}</th><th scope="col">${w.nextSweep}</th><th scope="col">${w.batchSize}</th><th scope="col">${w.holds}</th></tr></thead><tbody>
${processes.map(
  (one) =>
    html`<tr><th scope="row">${one.kind}<br><small>${one.worker}</small></th><td><span class="state ${one.state}">${w[one.state]}</span></td><td>${one.version}</td><td>${time(one.startedAt, now, language)}</td><td>${time(one.seenAt, now, language)}</td><td>${time(one.sweptAt, now, language)}${one.sweepMs !== null && html` ${one.sweepMs} ms`}</td><td>${one.state !== 'alive' || one.kind === 'api' ? '—' : time(nextSweepAt, now, language)}</td><td>${one.kind === 'api' ? '—' : batchSize}</td><td><a href="/console/events?state=running&amp;worker=${one.worker}">${one.state === 'lost' ? (held.get(one.worker) ?? 0) : one.running}</a>${one.state === 'lost' && html` <small>${w.holdsEvents}</small>`}</td></tr>`,
)}
</tbody></table></div>`;
}
