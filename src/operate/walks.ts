import type { EventStatus } from '../entities/outbox-event.js';
import { type EventFilter, isBySettled, statusOf } from './filter.js';

/** One walk along one index, from its end. */
export interface Walk {
  /** Null: the primary key. */
  readonly index: string | null;
  readonly equal: Readonly<Record<string, string>>;
  /** True: settled; false: not; an instant: settled after it; undefined: either. */
  readonly settled?: boolean | Date;
  /** The latest settled first; else the latest recorded. */
  readonly bySettled: boolean;
}

/** The walks that together find what the filter names. */
export function walksOf(filter: EventFilter): Walk[] {
  const { types, cause, subjectId } = filter;
  const status = statusOf(filter);
  if (subjectId !== undefined) return [bySubject(subjectId, status)];
  if (cause !== undefined) return byCause(cause, status);
  if (status) return byStatus(status, filter);
  return types
    ? types.map((type) => ({ index: 'outbox_event_type', equal: { type }, bySettled: false }))
    : [{ index: null, equal: {}, bySettled: false }];
}

function bySubject(subjectId: string, status: EventStatus | undefined): Walk {
  const equal = { subject_id: subjectId, ...(status ? { status } : {}) };
  return { index: 'outbox_event_subject', equal, bySettled: false };
}

function byCause(cause: string, status: EventStatus | undefined): Walk[] {
  const statuses: readonly EventStatus[] = status ? [status] : ['pending', 'errored', 'handled', 'discarded'];
  return statuses.map((each) => ({
    index: 'outbox_event_cause_status',
    equal: { cause, cause_status: each },
    bySettled: false,
  }));
}

function byStatus(status: EventStatus, filter: EventFilter): Walk[] {
  const { types, settledSince } = filter;
  const bySettled = isBySettled(filter);
  const settled = bySettled && (settledSince ?? true);
  if (!types) return [{ index: 'outbox_event_settled', equal: { status }, settled, bySettled }];
  return types.map((type) => ({
    index: 'outbox_event_status_type',
    equal: { status, type },
    settled,
    bySettled,
  }));
}
