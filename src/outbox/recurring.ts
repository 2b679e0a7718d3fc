import type { Queryable } from '../database/database.js';
import { after, fromSqlInstantOrNull, raw, sql } from '../database/sql.js';

export interface Recurrence {
  readonly lastEventId: string | null;
  readonly lastAt: Date | null;
  readonly lastMs: number | null;
  /** Recorded within 24 hours. */
  readonly recorded: number;
  readonly waiting: number;
}

const LOOK = 200;

/** What became of an event type that is recorded again and again: its newest end, and how much of it there is. */
export async function recurrenceOf(database: Queryable, type: string): Promise<Recurrence> {
  const rows = await database.query<{
    id: unknown;
    status: string;
    settled_at: unknown;
    late: number | string;
  }>(sql`
    SELECT id, status, settled_at, CASE WHEN created_at > ${after(-86_400_000)} THEN 0 ELSE 1 END AS late
    FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_type'))} WHERE type = ${type} ORDER BY id DESC LIMIT ${raw(String(LOOK))}`);
  const last = rows.find((row) => row.status !== 'pending');
  const [attempt] = last
    ? await database.query<{ duration_ms: number | null }>(
        sql`SELECT duration_ms FROM event_attempt WHERE event_id = ${String(last.id)} ORDER BY number DESC LIMIT 1`,
      )
    : [];
  return {
    lastEventId: last ? String(last.id) : null,
    lastAt: fromSqlInstantOrNull(last?.settled_at),
    lastMs: attempt?.duration_ms ?? null,
    recorded: rows.filter((row) => Number(row.late) === 0).length,
    waiting: rows.filter((row) => row.status === 'pending').length,
  };
}
