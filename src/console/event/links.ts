import type { OutboxEvent } from '../../entities/outbox-event.js';
import { type Html, html } from '../html.js';
import type { Words } from '../locales/zh.js';
import type { EventView } from './view.js';

/**
 * Links to more about this event: the last two answers compared, its story as a file, its trace and its log.
 */
export function links(w: Words, { event, story, links: { trace, log } }: EventView): Html {
  return html`<p>${story.attempts.length > 1 && html`<a href="/console/events/${event.id}?compare=1#compare">${w.compareWith}</a> · `}<a href="/console/events/${event.id}/json">${w.json}</a>${trace && html` · <a href="${filled(trace, event)}" rel="noreferrer">${w.trace}</a>`}${log && html` · <a href="${filled(log, event)}" rel="noreferrer">${w.logs}</a>`}</p>`;
}

function filled(template: string, event: OutboxEvent): string {
  const values: Record<string, string | null | undefined> = {
    trace: event.traceparent?.split('-')[1],
    request: event.requestId,
    order: event.subjectNo,
    event: event.id,
  };
  return template.replace(/\{(trace|request|order|event)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? ''),
  );
}
