import type { OutboxEvent } from '../../entities/outbox-event.js';
import type { EventPage } from '../../operate/list.js';
import type { EventHandler } from '../../outbox/types.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import type { Words } from '../locales/zh.js';
import { hiddenFields } from '../parts/fields.js';
import { shadeOf, stateMark } from '../parts/state.js';
import { table } from '../parts/table.js';
import { manyText, time } from '../parts/text.js';
import type { Visitor } from '../session.js';
import { addressOf, type EventsQuery, suppliedViews } from './filter.js';
import { filterForm } from './filter-form.js';
import type { SavedView } from './views.js';

interface EventsView {
  readonly query: EventsQuery;
  readonly listed: EventPage;
  /** Up to 10,001; null when it was not counted. */
  readonly total: number | null;
  readonly views: readonly SavedView[];
  readonly handlers: readonly EventHandler[];
  readonly isFirst: boolean;
  readonly now: Date;
}

export function eventsPage(visitor: Visitor, view: EventsView): Html {
  const { words: w } = visitor;
  const { query, listed, total, isFirst } = view;
  const { rows, next, lookedAt } = listed;
  return html`
${viewLinks(w, view)}
${filterForm(visitor, view)}
<p>${total !== null && html`${w.total} <strong>${manyText(total)}</strong> ${w.rows}`}${lookedAt !== null && html` <small>${w.lookedAt} ${lookedAt} ${w.rows}</small>`}</p>
${rows.length === 0 ? html`<p>${isFirst ? w.emptySet : w.emptyPage}</p>` : eventTable(visitor, rows, view.now)}
<p>${!isFirst && html`<a href="${addressOf(query)}">${w.newest}</a> `}${next && html`<a href="${addressOf(query, { before: next })}" rel="next">${w.older}</a>`}</p>
${visitor.mayAct && exportAndViews(visitor, view)}`;
}

function viewLinks(w: Words, { views, now }: EventsView): Html {
  const supplied = suppliedViews(now).map(
    ({ name, query }) => html`<a href="${addressOf(query)}">${w[name]}</a> · `,
  );
  const saved = views.map(({ name, query }) => html`<a href="/console/events?${query}">${name}</a> · `);
  return html`<p>${w.views}: ${supplied}${saved}<a href="/console/events">${w.all}</a></p>`;
}

function eventTable({ words: w, language }: Visitor, rows: readonly OutboxEvent[], now: Date): Html {
  return table(
    w.events,
    ['#', w.state, w.type, w.order, w.attempts, w.nextDue, w.error, w.created],
    rows.map(
      (event) =>
        html`<tr><td><a href="/console/events/${event.id}">${event.id}</a></td><td>${stateMark(w, shadeOf(event))}</td><td>${typeWordsOf(language, event.type).name}</td><td>${orderLink(event)}</td><td>${event.attempt}</td><td>${event.status === 'pending' ? time(event.runAt, now, language) : '—'}</td><td>${event.lastErrorCode}</td><td>${time(event.createdAt, now, language)}</td></tr>`,
    ),
  );
}

function orderLink({ subjectId, subjectNo }: OutboxEvent): Html | string | null {
  return subjectId ? html`<a href="/console/orders/${subjectId}">${subjectNo}</a>` : subjectNo;
}

/** The list as a file, the filter as a view for everybody, and the end of such views. */
function exportAndViews(visitor: Visitor, { query, views }: EventsView): Html {
  const { words: w } = visitor;
  const hidden = hiddenFields(visitor, { query: addressOf(query).split('?')[1] ?? '' });
  return html`<details id="export"><summary>${w.export} · ${w.saveView}</summary>
<form class="filters" action="/console/events/export" method="post">${hidden}<button name="format" value="csv">${w.export} CSV</button><button name="format" value="ndjson">${w.export} NDJSON</button><small>${w.exportHelp}</small></form>
<form class="filters" action="/console/views" method="post">${hidden}<label>${w.viewName}<br><input name="name" required maxlength="64"></label><button>${w.saveView}</button></form>
${views.map(({ id, name }) => html`<form class="filters" action="/console/views/${id}/remove" method="post">${hiddenFields(visitor)}<button>${w.removeView}: ${name}</button></form>`)}</details>`;
}
