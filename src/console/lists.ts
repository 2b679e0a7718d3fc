import type { BoxOrder } from '../entities/box-order.js';
import type { OperatorAction } from '../entities/operator-action.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import { type EventPage, LOOK_MAX, type Shade, shades } from '../operate/list.js';
import type { Pause } from '../operate/pause.js';
import type { Heartbeat } from '../outbox/heartbeat.js';
import type { Registry } from '../outbox/registry.js';
import type { EventHandler } from '../outbox/types.js';
import { addressOf, type EventsQuery, suppliedViews } from './filter.js';
import { type Html, html } from './html.js';
import type { Hit, Listed } from './read.js';
import type { Visitor } from './session.js';
import { named } from './story-words.js';
import { points, time } from './text.js';
import type { SavedView } from './views.js';
import { typeWordsOf } from './words.js';

/** The finest word for where an event is. */
export function shadeOf(
  event: Pick<OutboxEvent, 'status' | 'outcome' | 'leaseUntil' | 'failures' | 'queueAt'>,
): Shade {
  if (event.status === 'errored') return event.outcome === 'unknown' ? 'unknown' : 'errored';
  if (event.status !== 'pending') return event.status;
  if (event.leaseUntil) return 'running';
  if (event.queueAt === null) return 'blocked';
  return event.failures > 0 ? 'retrying' : 'pending';
}

export function stateMark(w: Visitor['words'], shade: Shade): Html {
  return html`<span class="state ${shade}">${w[shade]}</span>`;
}

export interface EventsView {
  readonly query: EventsQuery;
  readonly listed: EventPage;
  /** Up to 10,001; null when it was not counted. */
  readonly total: number | null;
  readonly views: readonly SavedView[];
  readonly handlers: readonly EventHandler[];
  readonly isFirst: boolean;
  readonly now: Date;
}

export function eventsPage(
  { words: w, language, mayAct, formToken }: Visitor,
  { query, listed, total, views, handlers, isFirst, now }: EventsView,
): Html {
  const { rows, next, lookedAt } = listed;
  const option = (value: string, text: string, chosen: string | undefined): Html =>
    html`<option value="${value}"${value === (chosen ?? '') && html` selected`}>${text}</option>`;
  const input = (name: keyof EventsQuery, label: string, type: string): Html =>
    html`<label>${label}<br><input name="${name}" type="${type}" value="${query[name] ?? ''}"${type === 'number' && html` min="1"`}></label>`;
  const isNarrow =
    query.attempts ||
    query.worker ||
    query.payload ||
    query.from ||
    query.to ||
    query.dueFrom ||
    query.dueTo ||
    query.overdue ||
    query.settled ||
    query.cause;
  const targets = [...new Set(handlers.map((handler) => handler.definition.target))];
  const asText = addressOf(query).split('?')[1] ?? '';
  const hidden = html`<input type="hidden" name="form" value="${formToken}"><input type="hidden" name="query" value="${asText}">`;
  return html`
<p>${w.views}: ${suppliedViews(now).map((view) => html`<a href="${addressOf(view.query)}">${w[view.name]}</a> · `)}${views.map((view) => html`<a href="/console/events?${view.query}">${view.name}</a> · `)}<a href="/console/events">${w.all}</a></p>
<form class="filters" action="/console/events">
<label>${w.state}<br><select name="state">${option('', w.all, query.state)}${shades.map((shade) => option(shade, w[shade], query.state))}</select></label>
<label>${w.type}<br><select name="type">${option('', w.all, query.type)}${handlers.map(({ definition: { type } }) => option(type, typeWordsOf(language, type).name, query.type))}</select></label>
<label>${w.target}<br><select name="target">${option('', w.all, query.target)}${targets.map((target) => option(target, target, query.target))}</select></label>
<button>${w.filter}</button>
<details id="more"${isNarrow && html` open`}><summary>${w.moreFilters}</summary><div class="filters">
${input('overdue', w.overdue, 'number')}${input('settled', w.settledWithin, 'number')}${input('attempts', w.attemptsMin, 'number')}${input('from', w.createdFrom, 'datetime-local')}${input('to', w.createdTo, 'datetime-local')}${input('dueFrom', w.dueFrom, 'datetime-local')}${input('dueTo', w.dueTo, 'datetime-local')}${input('worker', w.instance, 'text')}${input('payload', w.payload, 'text')}${input('cause', w.cause, 'text')}</div></details></form>
<p>${total !== null && html`${w.total} <strong>${manyText(total)}</strong> ${w.rows}`}${lookedAt !== null && html` <small>${w.lookedAt} ${lookedAt} ${w.rows}</small>`}</p>
${rows.length === 0 ? html`<p>${isFirst ? w.emptySet : w.emptyPage}</p>` : eventTable(w, language, rows, now)}
<p>${!isFirst && html`<a href="${addressOf(query)}">${w.newest}</a> `}${next && html`<a href="${addressOf(query, { before: next })}" rel="next">${w.older}</a>`}</p>
${
  mayAct &&
  html`<details id="export"><summary>${w.export} · ${w.saveView}</summary>
<form class="filters" action="/console/events/export" method="post">${hidden}<button name="format" value="csv">${w.export} CSV</button><button name="format" value="ndjson">${w.export} NDJSON</button><small>${w.exportHelp}</small></form>
<form class="filters" action="/console/views" method="post">${hidden}<label>${w.viewName}<br><input name="name" required maxlength="64"></label><button>${w.saveView}</button></form>
${views.map((view) => html`<form class="filters" action="/console/views/${view.id}/remove" method="post"><input type="hidden" name="form" value="${formToken}"><button>${w.removeView}: ${view.name}</button></form>`)}</details>`
}`;
}

/** Counted up to 10,000. */
export function manyText(n: number): string {
  return n > LOOK_MAX ? `${LOOK_MAX.toLocaleString('en')}+` : String(n);
}

function eventTable(
  w: Visitor['words'],
  language: Visitor['language'],
  rows: readonly OutboxEvent[],
  now: Date,
): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.events}"><table><thead><tr><th scope="col">#</th><th scope="col">${w.state}</th><th scope="col">${w.type}</th><th scope="col">${w.order}</th><th scope="col">${w.attempts}</th><th scope="col">${w.nextDue}</th><th scope="col">${w.error}</th><th scope="col">${w.created}</th></tr></thead><tbody>
${rows.map(
  (event) =>
    html`<tr><td><a href="/console/events/${event.id}">${event.id}</a></td><td>${stateMark(w, shadeOf(event))}</td><td>${typeWordsOf(language, event.type).name}</td><td>${event.subjectId ? html`<a href="/console/orders/${event.subjectId}">${event.subjectNo}</a>` : event.subjectNo}</td><td>${event.attempt}</td><td>${event.status === 'pending' ? time(event.runAt, now, language) : '—'}</td><td>${event.lastErrorCode}</td><td>${time(event.createdAt, now, language)}</td></tr>`,
)}
</tbody></table></div>`;
}

export function ordersPage(
  { words: w, language }: Visitor,
  filter: Record<string, string | undefined>,
  { rows, nextId }: Listed<BoxOrder>,
  now: Date,
): Html {
  const query = (beforeId: string): string =>
    `/console/orders?${new URLSearchParams(Object.entries({ ...filter, beforeId }).filter((pair): pair is [string, string] => Boolean(pair[1]))).toString()}`;
  return html`
<form class="filters" action="/console/orders"><label>${w.user}<br><input name="userId" value="${filter.userId}"></label><label>yyyy-MM-dd<br><input name="edibleDate" value="${filter.edibleDate}" pattern="\\d{4}-\\d{2}-\\d{2}"></label><button>${w.filter}</button></form>
${
  rows.length === 0
    ? html`<p>${w.nothingFound}</p>`
    : html`<div class="wide" tabindex="0" role="region" aria-label="${w.orders}"><table><thead><tr><th scope="col">${w.order}</th><th scope="col">${w.status}</th><th scope="col">${w.refund}</th><th scope="col">${w.meal}</th><th scope="col">${w.price}</th><th scope="col">${w.user}</th><th scope="col">${w.created}</th></tr></thead><tbody>
${rows.map(
  (order) =>
    html`<tr><td><a href="/console/orders/${order.id}">${order.orderNo}</a></td><td>${named(language, order.status)}</td><td>${named(language, order.refund)}</td><td>${order.edibleDate} ${order.mealType}<br>${order.dishName}</td><td>${points(order.priceInCent)}</td><td>${order.userId}</td><td>${time(order.createdAt, now, language)}</td></tr>`,
)}</tbody></table></div>`
}
<p>${nextId && html`<a href="${query(nextId)}">${w.older}</a>`}</p>`;
}

export function auditPage(
  { words: w, language }: Visitor,
  { rows, nextId }: Listed<OperatorAction>,
  now: Date,
): Html {
  return html`${rows.length === 0 ? html`<p>${w.nothingFound}</p>` : auditTable(w, language, rows, now)}
<p>${nextId && html`<a href="/console/audit?beforeId=${nextId}">${w.older}</a>`}</p>`;
}

export function auditTable(
  w: Visitor['words'],
  language: Visitor['language'],
  rows: readonly OperatorAction[],
  now: Date,
): Html {
  const change = (row: OperatorAction): Html =>
    html`<code>${shorten(row.stateBefore)} → ${shorten(row.stateAfter)}</code>`;
  const target = (row: OperatorAction): Html =>
    row.targetType === 'event' || row.targetType === 'order' || row.targetType === 'cause'
      ? html`<a href="/console/${row.targetType}s/${row.targetId}">${row.targetType} ${row.targetId}</a>`
      : html`${row.targetType} ${row.targetId}`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.audit}"><table><thead><tr><th scope="col">${w.when}</th><th scope="col">${w.who}</th><th scope="col">${w.what}</th><th scope="col">${w.target}</th><th scope="col">${w.reason}</th><th scope="col">${w.result}</th></tr></thead><tbody>
${rows.map((row) => html`<tr><td>${time(row.at, now, language)}</td><td>${row.actor} (${row.role})${row.ip && html`<br><small>${row.ip}</small>`}</td><td>${named(language, row.verb)}</td><td>${target(row)}</td><td>${row.reason}</td><td>${change(row)}</td></tr>`)}</tbody></table></div>`;
}

export function controlsPage(
  { words: w, language, mayAct, formToken }: Visitor,
  registry: Registry,
  pauses: readonly Pause[],
  processes: readonly Heartbeat[],
  now: Date,
): Html {
  const handlers = registry.all();
  const targets = [...new Set(handlers.map((handler) => handler.definition.target))];
  const shown = [...new Map(pauses.map((pause) => [`${pause.scope} ${pause.name}`, pause])).values()];
  const hidden = html`<input type="hidden" name="form" value="${formToken}">`;
  const pauseForm = (
    scope: 'type' | 'target',
    names: readonly string[],
    title: string,
  ): Html => html`<li><form action="/console/controls/pause" method="post">${hidden}<input type="hidden" name="scope" value="${scope}"><h2>${title}</h2>
<label>${scope === 'type' ? w.type : w.target}<br><select name="name">${names.map((name) => html`<option value="${name}">${scope === 'type' ? typeWordsOf(language, name).name : name}</option>`)}</select></label>
<label>${w.minutes}<br><input name="minutes" type="number" min="1" max="1440" value="30" required></label>
<label>${w.reason}<br><input name="reason" required maxlength="500"></label><button class="danger">${w.pause}</button></form></li>`;
  return html`
${shown.map(
  (
    pause,
  ) => html`<div class="note bad"><p>${w.pausedBanner}: ${pause.name}, ${w.until} ${time(pause.untilAt, now, language)}, ${w.by} ${pause.actor}: ${pause.reason}</p>
${mayAct && html`<form action="/console/controls/resume" method="post">${hidden}<input type="hidden" name="scope" value="${pause.scope}"><input type="hidden" name="name" value="${pause.name}"><button>${w.resume}</button></form>`}</div>`,
)}
${
  mayAct
    ? html`<ul class="acts">${pauseForm('target', targets, w.pauseTarget)}${pauseForm(
        'type',
        handlers.map((handler) => handler.definition.type),
        w.pauseType,
      )}</ul>`
    : html`<p>${w.viewerOnly}</p>`
}
<h2>${w.breakerOpen}</h2>
<div class="wide" tabindex="0" role="region" aria-label="${w.breakerOpen}"><table><thead><tr><th scope="col">${w.target}</th><th scope="col">${w.worker}</th><th scope="col">${w.state}</th><th scope="col">${w.started}</th></tr></thead><tbody>
${processes.flatMap(({ worker, state, breakers }) => (state !== 'alive' ? [] : breakers.map((breaker) => html`<tr><th scope="row">${breaker.target}</th><td>${worker}</td><td><span class="state ${breaker.state === 'closed' ? 'alive' : 'errored'}">${breaker.state}</span></td><td>${breaker.since ? time(new Date(breaker.since), now, language) : '—'}</td></tr>`)))}</tbody></table></div>`;
}

export function searchPage({ words: w }: Visitor, text: string, hits: readonly Hit[]): Html {
  if (hits.length === 0) return html`<p>${w.nothingFound} <q>${text}</q></p>`;
  return html`<ul>${hits.map((hit) => html`<li><a href="/console/${hit.kind}s/${hit.id}">${hit.kind === 'order' ? w.order : w.events} ${hit.id}</a> ${hit.what}</li>`)}</ul>`;
}

const SHOWN_MAX = 160;

function shorten(text: string | null): string {
  if (text === null || text === '{}') return '—';
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
