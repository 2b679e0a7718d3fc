import type { Heartbeat } from '../outbox/heartbeat.js';
import { COUNT_MAX, type Overview } from '../outbox/overview.js';
import { type Html, html } from './html.js';
import type { Visitor } from './session.js';
import { length, time } from './text.js';
import { typeWordsOf } from './words.js';

export function overviewPage({ words: w, language }: Visitor, { now, types, settled, oldestDueAt }: Overview, processes: readonly Heartbeat[]): Html {
  const sum = (of: (counts: (typeof types)[number]) => number): number => types.reduce((all, counts) => all + of(counts), 0);
  const many = (n: number): string => (n > COUNT_MAX ? `${COUNT_MAX.toLocaleString('en')}+` : String(n));
  const [pending, retrying, errored, unknown] = [sum((c) => c.pending), sum((c) => c.retrying), sum((c) => c.errored), sum((c) => c.unknown)];
  const card = (href: string, name: string, n: number, kind = ''): Html =>
    html`<li><a href="${href}"><span class="${kind}">${name}</span><b>${many(n)}</b></a></li>`;
  const age = oldestDueAt ? length(Math.max(0, now.getTime() - oldestDueAt.getTime()), language) : null;
  return html`
<p class="note ${errored > 0 || !processes.some((one) => one.kind !== 'api' && !one.lost) ? 'bad' : ''}">${
    errored > 0 ? html`${many(errored)} ${w.needsYou}` : w.healthy
  } · ${many(pending)} ${w.waiting}${age && html`, ${w.oldest} ${age}`}</p>
<ul class="cards">
${card('/console/events?state=pending', w.pending, pending)}${card('/console/events?state=retrying', w.retrying, retrying)}${card('/console/events?state=unknown', w.unknown, unknown)}${card('/console/events?state=errored', w.errored, errored)}
<li><a href="/console/events?state=handled"><span>${w.handled} (5 ${w.minutes})</span><b>${many(settled)}</b></a></li>
</ul>
<h2>${w.perType}</h2>
<div class="wide" tabindex="0" role="region" aria-label="${w.perType}"><table><thead><tr><th scope="col">${w.type}</th><th scope="col">${w.pending}</th><th scope="col">${w.retrying}</th><th scope="col">${w.unknown}</th><th scope="col">${w.errored}</th></tr></thead><tbody>
${types.map((counts) => {
  const cell = (state: string, n: number): Html => html`<td><a href="/console/events?state=${state}&amp;type=${counts.type}">${many(n)}</a></td>`;
  return html`<tr><th scope="row">${typeWordsOf(language, counts.type).name}<br><small>${counts.type}</small></th>${cell('pending', counts.pending)}${cell('retrying', counts.retrying)}${cell('unknown', counts.unknown)}${cell('errored', counts.errored)}</tr>`;
})}
</tbody></table></div>
<h2>${w.processes}</h2>
${processes.length === 0 ? html`<p class="note bad">${w.noProcess}</p>` : processTable(processes, w, now, language)}`;
}

function processTable(processes: readonly Heartbeat[], w: Visitor['words'], now: Date, language: Visitor['language']): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.processes}"><table><thead><tr><th scope="col">${w.worker}</th><th scope="col">${w.state}</th><th scope="col">${w.build}</th><th scope="col">${w.started}</th><th scope="col">${w.lastSeen}</th><th scope="col">${w.lastSweep}</th><th scope="col">${w.runningNow}</th></tr></thead><tbody>
${processes.map(
  (one) =>
    html`<tr><th scope="row">${one.kind}<br><small>${one.worker}</small></th><td><span class="state ${one.lost ? 'lost' : 'alive'}">${one.lost ? w.lost : w.alive}</span></td><td>${one.version}</td><td>${time(one.startedAt, now, language)}</td><td>${time(one.seenAt, now, language)}</td><td>${time(one.sweptAt, now, language)}${one.sweepMs !== null && html` ${one.sweepMs} ms`}</td><td>${one.running}</td></tr>`,
)}
</tbody></table></div>`;
}
