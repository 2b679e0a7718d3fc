import type { Batch, BatchItem } from '../../operate/batch/batch.js';
import { type Html, html } from '../html.js';
import { hiddenFields } from '../parts/fields.js';
import { table } from '../parts/table.js';
import { time } from '../parts/text.js';
import type { Visitor } from '../session.js';

const marks: Record<Batch['status'], string> = {
  previewed: 'pending',
  running: 'pending',
  done: 'handled',
  stopped: 'errored',
};

/** The progress of a bulk act and the result of each of its events. */
export function batchPage(visitor: Visitor, batch: Batch, items: readonly BatchItem[], now: Date): Html {
  const { words: w, mayAct } = visitor;
  return html`<p><span class="state ${marks[batch.status]}">${batch.status}</span> ${batch.why}</p>
${facts(visitor, batch, now)}
${batch.status === 'running' && mayAct && html`<form action="/console/batches/${batch.id}/stop" method="post">${hiddenFields(visitor)}<button class="danger">${w.stop}</button></form>`}
${table(
  w.events,
  [w.events, w.outcome, w.reason],
  items.map(
    ({ eventId, result, why }) =>
      html`<tr><td><a href="/console/events/${eventId}">${eventId}</a></td><td>${result ?? '…'}</td><td>${why}</td></tr>`,
  ),
)}`;
}

function facts({ words: w, language }: Visitor, batch: Batch, now: Date): Html {
  const { total, done, skipped, actor, executor } = batch;
  return html`<dl><dt>${w.what}</dt><dd>${batch.verb === 'requeue' ? w.requeue : w.discard}: ${batch.filter.type} ${batch.filter.cause}</dd><dt>${w.done}</dt><dd><progress max="${total}" value="${done + skipped}"></progress> ${done} / ${total}, ${w.skipped} ${skipped}, ${w.waiting} ${total - done - skipped}</dd>
<dt>${w.who}</dt><dd>${actor}${executor !== null && executor !== actor && html`, ${executor}`}: ${batch.reason}</dd><dt>${w.started}</dt><dd>${time(batch.startedAt, now, language)}</dd><dt>${w.settled}</dt><dd>${time(batch.endedAt, now, language)}</dd></dl>`;
}
