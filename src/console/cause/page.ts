import type { AlertGroup } from '../../alerts/group.js';
import { version } from '../../base/version.js';
import type { Exchange } from '../../entities/event-attempt.js';
import { type Html, html } from '../html.js';
import { bulkForm } from '../parts/bulk-form.js';
import { exchangeView } from '../parts/exchange.js';
import { hiddenFields, reasonField } from '../parts/fields.js';
import { groupMark, groupName } from '../parts/group.js';
import { manyText, time } from '../parts/text.js';
import { runbookOf } from '../runbooks/runbooks.js';
import type { Visitor } from '../session.js';
import type { Occurrence } from './occurrences.js';
import { trend } from './trend.js';

const ORDERS_SHOWN = 50;

export interface CauseView {
  readonly group: AlertGroup;
  /** The newest first. */
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

/**
 * One cause: what, since when, how often, whom it hit, what the vendor said, and what to do about all of it.
 */
export function causePage(visitor: Visitor, view: CauseView): Html {
  const { words: w } = visitor;
  const { group, occurrences, errored, sample, now } = view;
  return html`
<p>${groupMark(visitor, group)} <strong>${groupName(visitor, group)}</strong> <small>${group.kind}</small></p>
${facts(visitor, view)}
${isOfEvents(group) && errored > 0 && bulkForm(visitor, { state: 'errored', cause: group.groupKey }, manyText(errored))}
${knowForm(visitor, group)}
<h2>${w.trend}</h2>${trend(visitor, occurrences, now)}
<h2>${w.affectedOrders}</h2>
${affectedOrders(visitor, view)}
<h2>${w.newestSample}</h2>
${
  sample
    ? html`<p><a href="/console/events/${sample.eventId}">#${sample.eventId}</a>, ${w.attempt} ${sample.number}</p>${sample.exchanges.map((exchange, i) => exchangeView(visitor, exchange, i))}`
    : html`<p>—</p>`
}`;
}

function facts({ words: w, language }: Visitor, { group, errored, now }: CauseView): Html {
  const { known, recoveredAt } = group;
  return html`<dl><dt>${w.cause}</dt><dd><strong>${group.cause}</strong></dd>
${isOfEvents(group) && html`<dt>${w.erroredNow}</dt><dd><a href="/console/events?state=errored&amp;cause=${encodeURIComponent(group.groupKey)}">${manyText(errored)}</a></dd>`}
<dt>${w.count}</dt><dd>${group.occurrences}</dd><dt>${w.firstSeen}</dt><dd>${time(group.firstAt, now, language)}</dd><dt>${w.lastSeenAt}</dt><dd>${time(group.lastAt, now, language)}</dd>
${recoveredAt && group.status === 'recovered' && html`<dt>${w.recovered}</dt><dd>${time(recoveredAt, now, language)}</dd>`}
${group.cameBack > 0 && html`<dt>${w.regressed}</dt><dd>${group.cameBack}</dd>`}
<dt>${w.firstBuild}</dt><dd>${group.build ?? '—'}${group.build === version && html` (${w.sinceDeploy})`}</dd>
${known && html`<dt>${w.knownBy}</dt><dd>${known.by}, ${time(known.at, now, language)}: ${known.reason}</dd>`}
<dt>${w.runbook}</dt><dd><a href="/console/runbooks/${runbookOf[group.kind]}">${runbookOf[group.kind]}</a></dd></dl>`;
}

/** Whether errored events share this cause; the other kinds of groups are about orders, books or vendors. */
function isOfEvents({ eventType, kind }: AlertGroup): boolean {
  return eventType !== null && kind !== 'drift' && kind !== 'placements-failing' && kind !== 'cannot-learn';
}

function knowForm(visitor: Visitor, { id, status, known }: AlertGroup): Html | null {
  const { words: w, mayAct } = visitor;
  if (!mayAct || status !== 'open') return null;
  const { act, title, help } = known
    ? { act: 'unknow', title: w.unknow, help: null }
    : { act: 'know', title: w.know, help: w.knowHelp };
  return html`<form class="filters" action="/console/causes/${id}/${act}" method="post">
${hiddenFields(visitor)}${reasonField(w)}<button>${title}</button>${help && html`<small>${help}</small>`}</form>`;
}

function affectedOrders({ language }: Visitor, { occurrences, now }: CauseView): Html {
  const ofOrders = occurrences.filter(({ subjectId }) => subjectId);
  const orders = [...new Map(ofOrders.map((occurrence) => [occurrence.subjectId, occurrence])).values()];
  if (orders.length === 0) return html`<p>—</p>`;
  return html`<ul>${orders.slice(0, ORDERS_SHOWN).map(({ subjectId, subjectNo, eventId, at }) => html`<li><a href="/console/orders/${subjectId}">${subjectNo ?? subjectId}</a>${eventId && html` · <a href="/console/events/${eventId}">#${eventId}</a>`} ${time(at, now, language)}</li>`)}</ul>`;
}
