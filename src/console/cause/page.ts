import type { AlertGroup } from '../../alerts/group.js';
import { version } from '../../base/version.js';
import type { Exchange } from '../../outbox/types.js';
import { type Html, html } from '../html.js';
import { bulkForm } from '../parts/bulk-form.js';
import { exchangeView } from '../parts/exchange.js';
import { groupMark, groupName } from '../parts/group.js';
import { manyText, time } from '../parts/text.js';
import { runbookOf } from '../runbooks/runbooks.js';
import type { Visitor } from '../session.js';
import type { Occurrence } from './occurrences.js';

const HOUR_MS = 3_600_000;

const HOURS = 24;

const ORDERS_SHOWN = 50;

export interface CauseView {
  readonly group: AlertGroup;
  /** Newest first. */
  readonly occurrences: readonly Occurrence[];
  /** Errored events of this cause now, up to 10,001. */
  readonly errored: number;
  readonly sample: {
    readonly eventId: string;
    readonly number: number;
    readonly exchanges: readonly Exchange[];
  } | null;
  readonly now: Date;
}

/** One cause: what, since when, how often, whom it hit, what the vendor said, and what to do about all of it. */
export function causePage(visitor: Visitor, { group, occurrences, errored, sample, now }: CauseView): Html {
  const { words: w, language, mayAct, formToken } = visitor;
  const orders = [
    ...new Map(occurrences.filter((one) => one.subjectId).map((one) => [one.subjectId, one])).values(),
  ];
  const isOfEvents =
    group.eventType !== null &&
    group.kind !== 'drift' &&
    group.kind !== 'placements-failing' &&
    group.kind !== 'cannot-learn';
  const form = (
    act: string,
    title: string,
    help: string | null,
  ): Html => html`<form class="filters" action="/console/causes/${group.id}/${act}" method="post">
<input type="hidden" name="form" value="${formToken}"><label>${w.reason}<br><input name="reason" required maxlength="500"></label><button>${title}</button>${help && html`<small>${help}</small>`}</form>`;
  return html`
<p>${groupMark(visitor, group)} <strong>${groupName(visitor, group)}</strong> <small>${group.kind}</small></p>
<dl><dt>${w.cause}</dt><dd><strong>${group.cause}</strong></dd>
${isOfEvents && html`<dt>${w.erroredNow}</dt><dd><a href="/console/events?state=errored&amp;cause=${encodeURIComponent(group.groupKey)}">${manyText(errored)}</a></dd>`}
<dt>${w.count}</dt><dd>${group.occurrences}</dd><dt>${w.firstSeen}</dt><dd>${time(group.firstAt, now, language)}</dd><dt>${w.lastSeenAt}</dt><dd>${time(group.lastAt, now, language)}</dd>
${group.recoveredAt && group.status === 'recovered' && html`<dt>${w.recovered}</dt><dd>${time(group.recoveredAt, now, language)}</dd>`}
${group.cameBack > 0 && html`<dt>${w.regressed}</dt><dd>${group.cameBack}</dd>`}
<dt>${w.firstBuild}</dt><dd>${group.build ?? '—'}${group.build === version && html` (${w.sinceDeploy})`}</dd>
${group.known && html`<dt>${w.knownBy}</dt><dd>${group.known.by}, ${time(group.known.at, now, language)}: ${group.known.reason}</dd>`}
<dt>${w.runbook}</dt><dd><a href="/console/runbooks/${runbookOf[group.kind]}">${runbookOf[group.kind]}</a></dd></dl>
${isOfEvents && errored > 0 && html`${bulkForm(visitor, { state: 'errored', cause: group.groupKey }, manyText(errored))}`}
${mayAct && group.status === 'open' && (group.known ? form('unknow', w.unknow, null) : form('know', w.know, w.knowHelp))}
<h2>${w.trend}</h2>${trend(visitor, occurrences, now)}
<h2>${w.affectedOrders}</h2>
${orders.length === 0 ? html`<p>—</p>` : html`<ul>${orders.slice(0, ORDERS_SHOWN).map((one) => html`<li><a href="/console/orders/${one.subjectId}">${one.subjectNo ?? one.subjectId}</a>${one.eventId && html` · <a href="/console/events/${one.eventId}">#${one.eventId}</a>`} ${time(one.at, now, language)}</li>`)}</ul>`}
<h2>${w.newestSample}</h2>
${
  sample
    ? html`<p><a href="/console/events/${sample.eventId}">#${sample.eventId}</a>, ${w.attempt} ${sample.number}</p>${sample.exchanges.map((exchange, i) => exchangeView(visitor, exchange, i, 'h3'))}`
    : html`<p>—</p>`
}`;
}

/** A bar for each hour, and the same as a table for whoever cannot see bars. */
function trend({ words: w }: Visitor, occurrences: readonly Occurrence[], now: Date): Html {
  const thisHour = Math.floor(now.getTime() / HOUR_MS);
  const counts = Array.from({ length: HOURS }, (_, i) => {
    const hour = thisHour - (HOURS - 1 - i);
    return { hour, n: occurrences.filter((one) => Math.floor(one.at.getTime() / HOUR_MS) === hour).length };
  });
  const max = Math.max(1, ...counts.map(({ n }) => n));
  const label = (hour: number): string => `${String((hour + 8) % 24).padStart(2, '0')}:00`;
  return html`<svg class="bars" viewBox="0 0 240 40" role="img" aria-label="${w.trend}">${counts.map(({ n }, i) => html`<rect x="${i * 10 + 1}" y="${40 - Math.round((n / max) * 38)}" width="8" height="${Math.round((n / max) * 38)}"></rect>`)}</svg>
<details id="trend"><summary>${w.trend}</summary><table><thead><tr><th scope="col">${w.hour}</th><th scope="col">${w.count}</th></tr></thead><tbody>${counts.map(({ hour, n }) => html`<tr><td>${label(hour)}${hour === thisHour && '*'}</td><td>${n}</td></tr>`)}</tbody></table><p><small>${w.still}</small></p></details>`;
}
