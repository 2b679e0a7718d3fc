import type { Database } from '../database/database.js';
import { after, fromSqlInstantOrNull, now, sql } from '../database/sql.js';

/** No count goes further: "10 000+" is as good to a person, and kinder to the database. */
export const COUNT_MAX = 10_000;
const WINDOW_MS = 5 * 60_000;

export interface TypeCounts {
  readonly type: string;
  pending: number;
  retrying: number;
  errored: number;
  unknown: number;
}

export interface Overview {
  readonly now: Date;
  readonly types: readonly TypeCounts[];
  /** Settled within the last five minutes. */
  readonly settled: number;
  /** Since when the oldest due event is due; null when none is. */
  readonly oldestDueAt: Date | null;
}

/** What the first page says: one bounded look at what is pending, one at what is errored, one at what was settled lately. */
export async function readOverview(database: Database): Promise<Overview> {
  const clock = await database.now();
  const rows = await database.query<{ type: string; status: string; failed: number | string; unknown_outcome: number | string; n: number | string }>(sql`
    SELECT type, status, failed, unknown_outcome, COUNT(*) AS n FROM (
      SELECT type, status, CASE WHEN failures > 0 THEN 1 ELSE 0 END AS failed, CASE WHEN outcome = 'unknown' THEN 1 ELSE 0 END AS unknown_outcome FROM outbox_event WHERE status = 'pending' LIMIT 10001
    ) AS p GROUP BY type, status, failed, unknown_outcome
    UNION ALL
    SELECT type, status, failed, unknown_outcome, COUNT(*) AS n FROM (
      SELECT type, status, 0 AS failed, CASE WHEN outcome = 'unknown' THEN 1 ELSE 0 END AS unknown_outcome FROM outbox_event WHERE status = 'errored' LIMIT 10001
    ) AS e GROUP BY type, status, failed, unknown_outcome`);
  const types = new Map<string, TypeCounts>();
  for (const row of rows) {
    const counts = types.get(row.type) ?? { type: row.type, pending: 0, retrying: 0, errored: 0, unknown: 0 };
    types.set(row.type, counts);
    const n = Number(row.n);
    if (row.status === 'pending') counts.pending += n;
    if (row.status === 'pending' && Number(row.failed) === 1) counts.retrying += n;
    if (row.status === 'errored') counts.errored += n;
    if (row.status === 'errored' && Number(row.unknown_outcome) === 1) counts.unknown += n;
  }
  const [settled] = await database.query<{ n: number | string }>(
    sql`SELECT COUNT(*) AS n FROM (SELECT id FROM outbox_event WHERE status = 'handled' AND settled_at > ${after(-WINDOW_MS)} LIMIT 10001) AS s`,
  );
  const [oldest] = await database.query<{ queue_at: unknown }>(sql`SELECT queue_at FROM outbox_event WHERE queue_at <= ${now} ORDER BY queue_at LIMIT 1`);
  return {
    now: clock,
    types: [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1)),
    settled: Number(settled?.n),
    oldestDueAt: fromSqlInstantOrNull(oldest?.queue_at ?? null),
  };
}
