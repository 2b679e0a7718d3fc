import type { EventsQuery } from '../events/filter.js';
import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';

/** Below a list of errored events of one type or cause: everything that matches, by way of a preview. */
export function bulkForm(
  { words: w, mayAct, formToken }: Visitor,
  { state, type, cause }: Pick<EventsQuery, 'state' | 'type' | 'cause'>,
  many?: string,
): Html {
  if (!mayAct || (state !== 'errored' && state !== 'unknown') || (!type && !cause)) return html``;
  return html`<h2>${w.bulk}</h2><form class="filters" action="/console/batches" method="post"><input type="hidden" name="form" value="${formToken}">
${type && html`<input type="hidden" name="type" value="${type}">`}${cause && html`<input type="hidden" name="cause" value="${cause}">`}
<label>${w.what}<br><select name="verb"><option value="requeue">${w.requeue}</option><option value="discard">${w.discard}</option></select></label>
<label>${w.perSecond}<br><input name="ratePerSecond" type="number" min="1" max="50" value="5" required></label>
<label>${w.reason}<br><input name="reason" required maxlength="500"></label><button>${w.preview}${many && html` (${many})`}</button></form>`;
}
