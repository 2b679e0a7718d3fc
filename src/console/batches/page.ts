import { type Batch, type BatchItem, type Preview, TYPE_COUNT_ABOVE } from '../../operate/batch.js';
import { type Html, html } from '../html.js';
import { typeWordsOf } from '../locales/event-types.js';
import { length, time } from '../parts/text.js';
import type { Visitor } from '../session.js';

export function previewPage({ words: w, language, formToken }: Visitor, preview: Preview, now: Date): Html {
  const { batch, token, groups, samples } = preview;
  return html`<p>${w.previewHelp}</p>
<dl><dt>${w.what}</dt><dd>${batch.verb === 'requeue' ? w.requeue : w.discard}</dd><dt>${w.count}</dt><dd><strong>${batch.total}</strong>${preview.cut && html` (${w.cutHelp})`}</dd>${preview.excludedPending > 0 && html`<dt>${w.excluded}</dt><dd>${preview.excludedPending}: ${w.excludedHelp}</dd>`}
<dt>${w.firstSeen}</dt><dd>${time(preview.oldestAt, now, language)}</dd><dt>${w.lastSeenAt}</dt><dd>${time(preview.newestAt, now, language)}</dd><dt>${w.duration}</dt><dd>${length(preview.expectedS * 1000, language)} (${batch.perSecond}/s)</dd><dt>${w.reason}</dt><dd>${batch.reason}</dd></dl>
<ul>${groups.map((group) => html`<li>${group.count} × ${typeWordsOf(language, group.type).name}: ${group.cause}</li>`)}</ul>
<p>${samples.map((id) => html`<a href="/console/events/${id}">${id}</a> `)}</p>
${
  batch.total === 0
    ? html`<p>${w.emptySet}</p>`
    : html`<form class="filters" action="/console/batches/${batch.id}/execute" method="post"><input type="hidden" name="form" value="${formToken}"><input type="hidden" name="token" value="${token}">
${batch.total > TYPE_COUNT_ABOVE ? html`<label>${w.typeCount} ${batch.total}<br><input name="count" type="number" required></label>` : html`<input type="hidden" name="count" value="${batch.total}">`}<button class="first">${w.execute} (${batch.total})</button></form>`
}`;
}

export function batchPage(
  { words: w, language, mayAct, formToken }: Visitor,
  batch: Batch,
  items: readonly BatchItem[],
  now: Date,
): Html {
  const open = batch.total - batch.done - batch.skipped;
  return html`<p><span class="state ${batch.status === 'done' ? 'handled' : batch.status === 'stopped' ? 'errored' : 'pending'}">${batch.status}</span> ${batch.why}</p>
<dl><dt>${w.what}</dt><dd>${batch.verb === 'requeue' ? w.requeue : w.discard}: ${batch.filter.type} ${batch.filter.cause}</dd><dt>${w.done}</dt><dd><progress max="${batch.total}" value="${batch.done + batch.skipped}"></progress> ${batch.done} / ${batch.total}, ${w.skipped} ${batch.skipped}, ${w.waiting} ${open}</dd>
<dt>${w.who}</dt><dd>${batch.actor}${batch.executor !== null && batch.executor !== batch.actor && html`, ${batch.executor}`}: ${batch.reason}</dd><dt>${w.started}</dt><dd>${time(batch.startedAt, now, language)}</dd><dt>${w.settled}</dt><dd>${time(batch.endedAt, now, language)}</dd></dl>
${batch.status === 'running' && mayAct && html`<form action="/console/batches/${batch.id}/stop" method="post"><input type="hidden" name="form" value="${formToken}"><button class="danger">${w.stop}</button></form>`}
<div class="wide" tabindex="0" role="region" aria-label="${w.events}"><table><thead><tr><th scope="col">${w.events}</th><th scope="col">${w.outcome}</th><th scope="col">${w.reason}</th></tr></thead><tbody>
${items.map((item) => html`<tr><td><a href="/console/events/${item.eventId}">${item.eventId}</a></td><td>${item.result ?? '…'}</td><td>${item.why}</td></tr>`)}</tbody></table></div>`;
}
