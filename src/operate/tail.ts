import type { Queryable } from '../database/database.js';
import { fromSqlInstant, raw, sql } from '../database/sql.js';

export interface EndedAttempt {
  readonly eventId: string;
  readonly type: string;
  readonly subjectNo: string | null;
  readonly status: string;
  readonly number: number;
  readonly finishedAt: Date;
  readonly durationMs: number | null;
  readonly outcome: string | null;
  readonly decision: string | null;
  readonly errorCode: string | null;
}

/** So many events of each status are looked at; a person reads no more at once. */
const LOOK_PER_STATUS = 1_000;

/** Attempts that ended after this instant, oldest first: of events settled since then, and of the newest that are pending. */
export async function attemptsSince(database: Queryable, since: Date): Promise<EndedAttempt[]> {
  const settled = (status: string) => sql`
    SELECT * FROM (SELECT id, type, subject_no, status FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_settled'))}
      WHERE status = ${status} AND settled_at >= ${since} ORDER BY settled_at DESC LIMIT ${raw(String(LOOK_PER_STATUS))}) AS ${raw(status)}_events`;
  const rows = await database.query<Record<string, unknown>>(sql`
    SELECT e.id, e.type, e.subject_no, e.status, a.number, a.finished_at, a.duration_ms, a.outcome, a.decision, a.error_code FROM (
      ${settled('handled')} UNION ALL ${settled('errored')} UNION ALL ${settled('discarded')} UNION ALL
      SELECT * FROM (SELECT id, type, subject_no, status FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_settled'))}
        WHERE status = 'pending' AND settled_at IS NULL ORDER BY id DESC LIMIT ${raw(String(LOOK_PER_STATUS))}) AS pending_events
    ) AS e JOIN event_attempt a ON a.event_id = e.id WHERE a.finished_at > ${since} ORDER BY a.finished_at, e.id, a.number`);
  return rows.map((row) => ({
    eventId: String(row.id),
    type: String(row.type),
    subjectNo: row.subject_no as string | null,
    status: String(row.status),
    number: Number(row.number),
    finishedAt: fromSqlInstant(row.finished_at),
    durationMs: row.duration_ms === null ? null : Number(row.duration_ms),
    outcome: row.outcome as string | null,
    decision: row.decision as string | null,
    errorCode: row.error_code as string | null,
  }));
}
