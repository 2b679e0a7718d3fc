import type { Queryable } from '../database/database.js';
import { fromSqlInstant } from '../database/sql.js';
import { endedSince } from './statements.js';

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
  const statement = endedSince(database.dialect, since, LOOK_PER_STATUS);
  const rows = await database.query<Record<string, unknown>>(statement);
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
