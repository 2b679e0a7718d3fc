import type { BoxOrder } from '../entities/box-order.js';
import type { OperatorAction } from '../entities/operator-action.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import type { Pause } from '../outbox/pause.js';
import type { Registry } from '../outbox/registry.js';
import { type Html, html } from './html.js';
import type { CauseRow, EventsFilter, Hit, Listed } from './read.js';
import type { Visitor } from './session.js';
import { points, time } from './text.js';
import { typeWordsOf } from './words.js';

export const shades = ['pending', 'running', 'retrying', 'blocked', 'errored', 'unknown', 'handled', 'discarded'] as const;

/** The finest word for where an event is. */
export function shadeOf(event: Pick<OutboxEvent, 'status' | 'outcome' | 'leaseUntil' | 'failures' | 'queueAt'>): (typeof shades)[number] {
  if (event.status === 'errored') return event.outcome === 'unknown' ? 'unknown' : 'errored';
  if (event.status !== 'pending') return event.status;
  if (event.leaseUntil) return 'running';
  if (event.queueAt === null) return 'blocked';
  return event.failures > 0 ? 'retrying' : 'pending';
}

export function stateMark(w: Visitor['words'], shade: (typeof shades)[number]): Html {
  return html`<span class="state ${shade}">${w[shade]}</span>`;
}

export function eventsPage(
  { words: w, language }: Visitor,
  filter: EventsFilter,
  { rows, nextId }: Listed<OutboxEvent>,
  types: readonly string[],
  now: Date,
): Html {
  const query = (more: Record<string, string | undefined>): string => {
    const all = Object.entries({ ...filter, ...more }).filter((pair): pair is [string, string] => Boolean(pair[1]));
    return `/console/events?${new URLSearchParams(all).toString()}`;
  };
  const option = (value: string, text: string, chosen: string | undefined): Html =>
    html`<option value="${value}"${value === (chosen ?? '') && html` selected`}>${text}</option>`;
  return html`
<form class="filters" action="/console/events">
<label>${w.state}<br><select name="state">${option('', w.all, filter.state)}${shades.map((shade) => option(shade, w[shade], filter.state))}</select></label>
<label>${w.type}<br><select name="type">${option('', w.all, filter.type)}${types.map((type) => option(type, typeWordsOf(language, type).name, filter.type))}</select></label>
${filter.cause && html`<label>${w.cause}<br><input name="cause" value="${filter.cause}"></label>`}
<button>${w.filter}</button></form>
${rows.length === 0 ? html`<p>${filter.beforeId ? w.emptyPage : w.emptySet}</p>` : eventTable(w, language, rows, now)}
<p>${filter.beforeId && html`<a href="${query({ beforeId: undefined })}">${w.newest}</a> `}${nextId && html`<a href="${query({ beforeId: nextId })}">${w.older}</a>`}</p>`;
}

function eventTable(w: Visitor['words'], language: Visitor['language'], rows: readonly OutboxEvent[], now: Date): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.events}"><table><thead><tr><th scope="col">#</th><th scope="col">${w.state}</th><th scope="col">${w.type}</th><th scope="col">${w.order}</th><th scope="col">${w.attempts}</th><th scope="col">${w.nextDue}</th><th scope="col">${w.error}</th><th scope="col">${w.created}</th></tr></thead><tbody>
${rows.map(
  (event) =>
    html`<tr><td><a href="/console/events/${event.id}">${event.id}</a></td><td>${stateMark(w, shadeOf(event))}</td><td>${typeWordsOf(language, event.type).name}</td><td>${event.subjectId ? html`<a href="/console/orders/${event.subjectId}">${event.subjectNo}</a>` : event.subjectNo}</td><td>${event.attempt}</td><td>${event.status === 'pending' ? time(event.runAt, now, language) : '—'}</td><td>${event.lastErrorCode}</td><td>${time(event.createdAt, now, language)}</td></tr>`,
)}
</tbody></table></div>`;
}

export function ordersPage({ words: w, language }: Visitor, filter: Record<string, string | undefined>, { rows, nextId }: Listed<BoxOrder>, now: Date): Html {
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
    html`<tr><td><a href="/console/orders/${order.id}">${order.orderNo}</a></td><td>${order.status}</td><td>${order.refund}</td><td>${order.edibleDate} ${order.mealType}<br>${order.dishName}</td><td>${points(order.priceInCent)}</td><td>${order.userId}</td><td>${time(order.createdAt, now, language)}</td></tr>`,
)}</tbody></table></div>`
}
<p>${nextId && html`<a href="${query(nextId)}">${w.older}</a>`}</p>`;
}

export function causesPage({ words: w, language }: Visitor, rows: readonly CauseRow[], now: Date): Html {
  if (rows.length === 0) return html`<p>${w.nothingFound}</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.causes}"><table><thead><tr><th scope="col">${w.cause}</th><th scope="col">${w.state}</th><th scope="col">${w.count}</th><th scope="col">${w.firstSeen}</th><th scope="col">${w.lastSeenAt}</th></tr></thead><tbody>
${rows.map(
  (row) =>
    html`<tr><th scope="row">${row.eventType ? typeWordsOf(language, row.eventType).name : row.kind}<br><a href="/console/events?state=errored&amp;cause=${encodeURIComponent(row.groupKey)}">${row.cause}</a></th><td><span class="state ${row.status === 'open' ? 'errored' : 'handled'}">${row.status === 'open' ? w.open : w.recovered}</span> ${row.kind}</td><td>${row.occurrences}</td><td>${time(row.firstAt, now, language)}</td><td>${time(row.lastAt, now, language)}</td></tr>`,
)}</tbody></table></div>`;
}

export function auditPage({ words: w, language }: Visitor, { rows, nextId }: Listed<OperatorAction>, now: Date): Html {
  return html`${rows.length === 0 ? html`<p>${w.nothingFound}</p>` : auditTable(w, language, rows, now)}
<p>${nextId && html`<a href="/console/audit?beforeId=${nextId}">${w.older}</a>`}</p>`;
}

export function auditTable(w: Visitor['words'], language: Visitor['language'], rows: readonly OperatorAction[], now: Date): Html {
  const target = (row: OperatorAction): Html =>
    row.targetType === 'event' || row.targetType === 'order'
      ? html`<a href="/console/${row.targetType}s/${row.targetId}">${row.targetType} ${row.targetId}</a>`
      : html`${row.targetType} ${row.targetId}`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${w.audit}"><table><thead><tr><th scope="col">${w.when}</th><th scope="col">${w.who}</th><th scope="col">${w.what}</th><th scope="col">${w.target}</th><th scope="col">${w.reason}</th></tr></thead><tbody>
${rows.map((row) => html`<tr><td>${time(row.at, now, language)}</td><td>${row.actor} (${row.role})</td><td>${row.verb}</td><td>${target(row)}</td><td>${row.reason}</td></tr>`)}</tbody></table></div>`;
}

export function controlsPage({ words: w, language, mayAct, formToken }: Visitor, registry: Registry, pauses: readonly Pause[], now: Date): Html {
  const handlers = registry.all();
  const targets = [...new Set(handlers.map((handler) => handler.target))];
  const shown = [...new Map(pauses.map((pause) => [`${pause.scope} ${pause.name}`, pause])).values()];
  const hidden = html`<input type="hidden" name="form" value="${formToken}">`;
  const pauseForm = (
    scope: 'type' | 'target',
    names: readonly string[],
    title: string,
  ): Html => html`<li><form action="/console/controls/pause" method="post">${hidden}<input type="hidden" name="scope" value="${scope}"><h3>${title}</h3>
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
}`;
}

export function searchPage({ words: w }: Visitor, text: string, hits: readonly Hit[]): Html {
  if (hits.length === 0) return html`<p>${w.nothingFound} <q>${text}</q></p>`;
  return html`<ul>${hits.map((hit) => html`<li><a href="/console/${hit.kind}s/${hit.id}">${hit.kind === 'order' ? w.order : w.events} ${hit.id}</a> ${hit.what}</li>`)}</ul>`;
}
