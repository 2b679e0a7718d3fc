import { TYPE_COUNT_ABOVE } from '../../operate/batch/execute.js';
import type { Preview } from '../../operate/batch/preview.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { hiddenFields } from '../parts/fields.js';
import { length, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

/** What a bulk act will touch, frozen, and the form that executes it. An empty set has no button. */
export function previewPage(visitor: Visitor, preview: Preview, now: Date): Html {
  const { words: w, language } = visitor;
  const { batch, groups, samples } = preview;
  return html`<p>${w.previewHelp}</p>
${facts(visitor, preview, now)}
<ul>${groups.map(({ count, type, cause }) => html`<li>${count} × ${typeWordsOf(language, type).name}: ${cause}</li>`)}</ul>
<p>${samples.map((id) => html`<a href="/console/events/${id}">${id}</a> `)}</p>
${batch.total === 0 ? html`<p>${w.emptySet}</p>` : executeForm(visitor, preview)}`;
}

function facts({ words: w, language }: Visitor, preview: Preview, now: Date): Html {
  const { batch, excludedPending } = preview;
  return html`<dl><dt>${w.what}</dt><dd>${batch.verb === 'requeue' ? w.requeue : w.discard}</dd><dt>${w.count}</dt><dd><strong>${batch.total}</strong>${preview.cut && html` (${w.cutHelp})`}</dd>${excludedPending > 0 && html`<dt>${w.excluded}</dt><dd>${excludedPending}: ${w.excludedHelp}</dd>`}
<dt>${w.firstSeen}</dt><dd>${time(preview.oldestAt, now, language)}</dd><dt>${w.lastSeenAt}</dt><dd>${time(preview.newestAt, now, language)}</dd><dt>${w.duration}</dt><dd>${length(preview.expectedS * 1000, language)} (${batch.perSecond}/s)</dd><dt>${w.reason}</dt><dd>${batch.reason}</dd></dl>`;
}

/** Above ten events their number is typed by the person who executes. */
function executeForm(visitor: Visitor, { batch: { id, total }, token }: Preview): Html {
  const { words: w } = visitor;
  return html`<form class="filters" action="/console/batches/${id}/execute" method="post">${hiddenFields(visitor, { token })}
${total > TYPE_COUNT_ABOVE ? html`<label>${w.typeCount} ${total}<br><input name="count" type="number" required></label>` : html`<input type="hidden" name="count" value="${total}">`}<button class="first">${w.execute} (${total})</button></form>`;
}
