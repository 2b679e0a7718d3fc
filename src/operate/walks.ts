import { raw, type Sql, sql } from '../database/sql.js';
import type { EventStatus } from '../entities/outbox-event.js';
import { type EventFilter, isBySettled, statusOf } from './filter.js';

/** One walk along one index, from its end. */
export interface Walk {
  /** Null: the primary key. */
  readonly index: string | null;
  readonly conditions: readonly Sql[];
  readonly order: Sql;
}

const byId = raw('id DESC');

/** The walks that together find what the filter names. */
export function walksOf(filter: EventFilter): Walk[] {
  const { types, cause, subjectId } = filter;
  const status = statusOf(filter);
  if (subjectId !== undefined) return [bySubject(subjectId, status)];
  if (cause !== undefined) return byCause(cause, status);
  if (status) return byStatus(status, filter);
  return types
    ? types.map((type) => ({ index: 'outbox_event_type', conditions: [sql`type = ${type}`], order: byId }))
    : [{ index: null, conditions: [], order: byId }];
}

function bySubject(subjectId: string, status: EventStatus | undefined): Walk {
  const conditions = [sql`subject_id = ${subjectId}`, ...(status ? [sql`status = ${status}`] : [])];
  return { index: 'outbox_event_subject', conditions, order: byId };
}

function byCause(cause: string, status: EventStatus | undefined): Walk[] {
  const statuses: readonly EventStatus[] = status ? [status] : ['pending', 'errored', 'handled', 'discarded'];
  return statuses.map((each) => ({
    index: 'outbox_event_cause_status',
    conditions: [sql`cause = ${cause}`, sql`cause_status = ${each}`],
    order: byId,
  }));
}

function byStatus(status: EventStatus, filter: EventFilter): Walk[] {
  const { types, settledSince } = filter;
  const bySettled = isBySettled(filter);
  const order = bySettled ? raw('settled_at DESC, id DESC') : byId;
  const settled = !bySettled
    ? sql`settled_at IS NULL`
    : settledSince
      ? sql`settled_at > ${settledSince}`
      : sql`settled_at IS NOT NULL`;
  const ofStatus = sql`status = ${status}`;
  if (!types) return [{ index: 'outbox_event_settled', conditions: [ofStatus, settled], order }];
  return types.map((type) => ({
    index: 'outbox_event_status_type',
    conditions: [ofStatus, sql`type = ${type}`, settled],
    order,
  }));
}
