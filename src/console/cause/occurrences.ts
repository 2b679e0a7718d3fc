import type { Database } from '../../database/database.js';
import { fromSqlInstant, raw, sql } from '../../database/sql.js';

export interface Occurrence {
  readonly at: Date;
  readonly eventId: string | null;
  readonly subjectId: string | null;
  readonly subjectNo: string | null;
}

const OCCURRENCES_MAX = 5_000;

/** The newest occurrences of a group first, at most 5,000. */
export async function occurrencesOf(database: Database, alertId: string): Promise<Occurrence[]> {
  const rows = await database.query<{
    at: unknown;
    event_id: string | null;
    subject_id: string | null;
    subject_no: string | null;
  }>(
    sql`SELECT at, event_id, subject_id, subject_no FROM alert_occurrence WHERE alert_id = ${alertId} ORDER BY id DESC LIMIT ${raw(String(OCCURRENCES_MAX))}`,
  );
  return rows.map((row) => ({
    at: fromSqlInstant(row.at),
    eventId: row.event_id,
    subjectId: row.subject_id,
    subjectNo: row.subject_no,
  }));
}
