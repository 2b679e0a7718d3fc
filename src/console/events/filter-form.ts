import { eventStates } from '../../operate/filter.js';
import type { EventHandler } from '../../outbox/types.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { option } from '../parts/fields.js';
import type { Visitor } from '../session.js';
import type { EventsQuery } from './filter.js';

/** State, type and vendor in sight; the other filters open when one of them is set. */
export function filterForm(
  { words: w, language }: Visitor,
  { query, handlers }: { readonly query: EventsQuery; readonly handlers: readonly EventHandler[] },
): Html {
  const { state, type, target, ...others } = query;
  const types = handlers.map(({ definition }) => definition.type);
  const targets = [...new Set(handlers.map(({ definition }) => definition.target))];
  const isNarrow = Object.values(others).some(Boolean);
  return html`<form class="filters" action="/console/events">
<label>${w.state}<br><select name="state">${option('', w.all, state)}${eventStates.map((known) => option(known, w[known], state))}</select></label>
<label>${w.type}<br><select name="type">${option('', w.all, type)}${types.map((known) => option(known, typeWordsOf(language, known).name, type))}</select></label>
<label>${w.target}<br><select name="target">${option('', w.all, target)}${targets.map((known) => option(known, known, target))}</select></label>
<button>${w.filter}</button>
<details id="more"${isNarrow && html` open`}><summary>${w.moreFilters}</summary><div class="filters">
${moreFields(w, query)}</div></details></form>`;
}

function moreFields(w: Visitor['words'], query: EventsQuery): Html {
  const input = (name: keyof EventsQuery, label: string, type: string): Html =>
    html`<label>${label}<br><input name="${name}" type="${type}" value="${query[name] ?? ''}"${type === 'number' && html` min="1"`}></label>`;
  return html`${input('overdue', w.overdue, 'number')}${input('settled', w.settledWithin, 'number')}${input('attempts', w.attemptsMin, 'number')}${input('from', w.createdFrom, 'datetime-local')}${input('to', w.createdTo, 'datetime-local')}${input('dueFrom', w.dueFrom, 'datetime-local')}${input('dueTo', w.dueTo, 'datetime-local')}${input('worker', w.instance, 'text')}${input('payload', w.payload, 'text')}${input('cause', w.cause, 'text')}`;
}
