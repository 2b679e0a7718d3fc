import type { OutboxEvent } from '../../entities/outbox-event.js';
import { type EventPage, shades } from '../../operate/list.js';
import type { EventHandler } from '../../outbox/types.js';

import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { shadeOf, stateMark } from '../parts/state.js';
import { manyText, time } from '../parts/text.js';
import type { Visitor } from '../session.js';
import { addressOf, type EventsQuery, suppliedViews } from './filter.js';
import type { SavedView } from './views.js';

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
