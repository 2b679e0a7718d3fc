import type { Database } from '../database/database.js';
import { after, fromSqlInstantOrNull, now, raw, type Sql, sql } from '../database/sql.js';
import { countEvents, LOOK_MAX } from './list.js';

/** No count goes further: "10 000+" is as good to a person, and kinder to the database. */
export const COUNT_MAX = LOOK_MAX;
export const WINDOW_MS = 5 * 60_000;

export interface TypeCounts {
  readonly type: string;
  pending: number;
  retrying: number;
  errored: number;
  unknown: number;
  /** Within the last five minutes. */
  settled: number;
  /** Since when its oldest due event is due, of the 10,000 that have waited longest. */
  oldestDueAt: Date | null;
}

export interface Overview {
  readonly now: Date;
  readonly types: readonly TypeCounts[];
  /** Retrying and unknown are those of the newest 10,000 only. */
  readonly capped: boolean;
  /** Settled within the last five minutes. */
  readonly settled: number;
  /** Since when the oldest due event is due; null when none is. */
  readonly oldestDueAt: Date | null;
}

/**
 * What the first page says: one bounded look at what is pending, one at what is errored, one at what was settled lately. Where a look met
 * its bound, pending and errored are counted type by type; retrying and unknown are then of the newest 10,000 only.
 */
export async function readOverview(
  database: Database,
  knownTypes: readonly string[] = [],
): Promise<Overview> {
  const clock = await database.now();
  const look = (status: 'pending' | 'errored', settled: Sql): Sql => sql`
    SELECT type, status, failed, unknown_outcome, COUNT(*) AS n FROM (
      SELECT type, status, CASE WHEN failures > 0 THEN 1 ELSE 0 END AS failed, CASE WHEN outcome = 'unknown' THEN 1 ELSE 0 END AS unknown_outcome
      FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_settled'))} WHERE status = ${status} AND ${settled} LIMIT ${raw(String(LOOK_MAX))}
    ) AS looked GROUP BY type, status, failed, unknown_outcome`;
  const rows = await database.query<{
    type: string;
    status: string;
    failed: number | string;
    unknown_outcome: number | string;
    n: number | string;
  }>(sql`
    SELECT * FROM (${look('pending', sql`settled_at IS NULL ORDER BY id DESC`)}) AS p
    UNION ALL SELECT * FROM (${look('errored', sql`settled_at IS NOT NULL ORDER BY settled_at DESC, id DESC`)}) AS e`);
  const types = new Map<string, TypeCounts>();
  const countsOf = (type: string): TypeCounts => {
    const counts = types.get(type) ?? {
      type,
      pending: 0,
      retrying: 0,
      errored: 0,
      unknown: 0,
      settled: 0,
      oldestDueAt: null,
    };
    types.set(type, counts);
    return counts;
  };
  const looked = { pending: 0, errored: 0 };
  for (const row of rows) {
    const counts = countsOf(row.type);
    const n = Number(row.n);
    if (row.status === 'pending') counts.pending += n;
    if (row.status === 'pending' && Number(row.failed) === 1) counts.retrying += n;
    if (row.status === 'errored') counts.errored += n;
    if (row.status === 'errored' && Number(row.unknown_outcome) === 1) counts.unknown += n;
    looked[row.status as keyof typeof looked] += n;
  }
  for (const state of ['pending', 'errored'] as const) {
    if (looked[state] < LOOK_MAX) continue;
    for (const type of new Set([...types.keys(), ...knownTypes]))
      countsOf(type)[state] = await countEvents(database, { state, types: [type] });
  }
  const settled = await database.query<{ type: string; n: number | string }>(sql`
    SELECT type, COUNT(*) AS n FROM (
      SELECT type FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_settled'))} WHERE status = 'handled' AND settled_at > ${after(-WINDOW_MS)} LIMIT ${raw(String(LOOK_MAX + 1))}
    ) AS lately GROUP BY type`);
  for (const { type, n } of settled) countsOf(type).settled = Number(n);
  const oldest = await database.query<{ type: string; queue_at: unknown }>(sql`
    SELECT type, MIN(queue_at) AS queue_at FROM (SELECT type, queue_at FROM outbox_event WHERE queue_at <= ${now} ORDER BY queue_at LIMIT ${raw(String(LOOK_MAX))}) AS due GROUP BY type`);
  for (const { type, queue_at } of oldest) countsOf(type).oldestDueAt = fromSqlInstantOrNull(queue_at);
  const all = [...types.values()];
  return {
    now: clock,
    types: all.sort((a, b) => (a.type < b.type ? -1 : 1)),
    capped: looked.pending >= LOOK_MAX || looked.errored >= LOOK_MAX,
    settled: all.reduce((sum, { settled: n }) => sum + n, 0),
    oldestDueAt: all.reduce<Date | null>(
      (min, { oldestDueAt: at }) => (at && (!min || at < min) ? at : min),
      null,
    ),
  };
}
