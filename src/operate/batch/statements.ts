import { after, join, raw, type Sql, sql } from '../../database/sql.js';
import type { BatchFilter } from './batch.js';

/**
 * A set of up to 10,000 events is read and written as rows: as many entities would hold up the process for a
 * tenth of a second.
 */

/**
 * The errored events of a filter, the oldest first. Index outbox_event_status_type, outbox_event_cause_status or
 * outbox_event_settled; a plain read, so a poor plan only costs time.
 */
export function erroredOf({ type, cause }: BatchFilter, max: number): Sql {
  return sql`
    SELECT id, attempt, type, cause, settled_at FROM outbox_event WHERE status = 'errored' ${type ? sql`AND type = ${type}` : sql``} ${cause ? sql`AND cause = ${cause} AND cause_status = 'errored'` : sql``}
    ORDER BY id LIMIT ${raw(String(max))}`;
}

export interface NewItem {
  readonly position: number;
  readonly eventId: string;
  readonly attempt: number;
}

export function insertItems(batchId: string, items: readonly NewItem[]): Sql {
  const rows = items.map(
    ({ position, eventId, attempt }) => sql`(${batchId}, ${position}, ${eventId}, ${attempt})`,
  );
  return sql`INSERT INTO event_batch_item (batch_id, position, event_id, attempt) VALUES ${join(rows)}`;
}

/**
 * The status of the events that were done last; `late`: done longer than `lateMs` ago. Both tables by primary
 * key, from the end of the batch.
 */
export function doneLast(batchId: string, lateMs: number, max: number): Sql {
  return sql`
    SELECT e.status, CASE WHEN i.at < ${after(-lateMs)} THEN 1 ELSE 0 END AS late FROM event_batch_item i JOIN outbox_event e ON e.id = i.event_id
    WHERE i.batch_id = ${batchId} AND i.result = 'done' ORDER BY i.position DESC LIMIT ${raw(String(max))}`;
}
