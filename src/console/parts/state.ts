import type { OutboxEvent } from '../../entities/outbox-event.js';
import type { EventState } from '../../operate/filter.js';
import { type Html, html } from '../html.js';
import type { Visitor } from '../session.js';

/** The state that a page shows: finer than the event's status. */
export function shadeOf(
  event: Pick<OutboxEvent, 'status' | 'outcome' | 'leaseUntil' | 'failures' | 'queueAt'>,
): EventState {
  if (event.status === 'errored') return event.outcome === 'unknown' ? 'unknown' : 'errored';
  if (event.status !== 'pending') return event.status;
  if (event.leaseUntil) return 'running';
  if (event.queueAt === null) return 'blocked';
  return event.failures > 0 ? 'retrying' : 'pending';
}

export function stateMark(w: Visitor['words'], shade: EventState): Html {
  return html`<span class="state ${shade}">${w[shade]}</span>`;
}
