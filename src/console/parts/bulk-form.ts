import type { EventsQuery } from '../events/filter.js';
import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';
import { hiddenFields, reasonField } from './fields.js';

/**
 * Leads from errored events of a type or cause to the preview of an act on all of them. `count` is written on
 * the button.
 */
export function bulkForm(
  visitor: Visitor,
  { state, type, cause }: Pick<EventsQuery, 'state' | 'type' | 'cause'>,
  count?: string,
): Html | null {
  const { words: w, mayAct } = visitor;
  if (!mayAct || (state !== 'errored' && state !== 'unknown') || (!type && !cause)) return null;
  return html`<h2>${w.bulk}</h2><form class="filters" action="/console/batches" method="post">${hiddenFields(visitor, { ...(type && { type }), ...(cause && { cause }) })}
<label>${w.what}<br><select name="verb"><option value="requeue">${w.requeue}</option><option value="discard">${w.discard}</option></select></label>
<label>${w.perSecond}<br><input name="ratePerSecond" type="number" min="1" max="50" value="5" required></label>
${reasonField(w)}<button>${w.preview}${count && html` (${count})`}</button></form>`;
}
