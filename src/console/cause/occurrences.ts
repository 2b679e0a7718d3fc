import type { Database } from '../../database/database.js';
import { fromSqlInstant } from '../../database/sql.js';
import { newestOccurrences } from '../statements.js';

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
  }>(newestOccurrences(alertId, OCCURRENCES_MAX));
  return rows.map((row) => ({
    at: fromSqlInstant(row.at),
    eventId: row.event_id,
    subjectId: row.subject_id,
    subjectNo: row.subject_no,
  }));
}
