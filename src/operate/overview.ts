import type { Database } from '../database/database.js';
import { fromSqlInstantOrNull } from '../database/sql.js';
import { countEvents, LOOK_MAX } from './list.js';
import { handledByType, oldestDueByType, openByType } from './statements.js';

/** No count goes further: "10 000+" is as good to a person, and kinder to the database. */
export const COUNT_MAX = LOOK_MAX;
export const WINDOW_MS = 5 * 60_000;

interface TypeCounts {
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
 * The numbers of the first page: one bounded look at pending events, one at errored events, one at events that were settled lately. Where a
 * look met its bound, pending and errored are counted type by type; retrying and unknown are then of the newest 10,000 only.
 */
export async function readOverview(
  database: Database,
  knownTypes: readonly string[] = [],
): Promise<Overview> {
  const clock = await database.now();
  const counts = new CountsByType();
  const looked = await countOpen(database, counts);
  for (const state of ['pending', 'errored'] as const) {
    if (looked[state] < LOOK_MAX) continue;
    for (const type of new Set([...counts.types(), ...knownTypes]))
      counts.forType(type)[state] = await countEvents(database, { state, types: [type] });
  }
  await countSettled(database, counts);
  await findOldestDue(database, counts);
  const all = counts.sorted();
  return {
    now: clock,
    types: all,
    capped: looked.pending >= LOOK_MAX || looked.errored >= LOOK_MAX,
    settled: all.reduce((sum, { settled }) => sum + settled, 0),
    oldestDueAt: all.reduce<Date | null>(
      (min, { oldestDueAt: at }) => (at && (!min || at < min) ? at : min),
      null,
    ),
  };
}

/** Pending and errored events, and those of them that retry or are in doubt. Returns how many rows of each were looked at. */
async function countOpen(
  database: Database,
  counts: CountsByType,
): Promise<{ pending: number; errored: number }> {
  const rows = await database.query<{
    type: string;
    status: 'pending' | 'errored';
    failed: number | string;
    unknown_outcome: number | string;
    n: number | string;
  }>(openByType(database.dialect, LOOK_MAX));
  const looked = { pending: 0, errored: 0 };
  for (const { type, status, failed, unknown_outcome, n: many } of rows) {
    const n = Number(many);
    const ofType = counts.forType(type);
    looked[status] += n;
    ofType[status] += n;
    if (status === 'pending' && Number(failed) === 1) ofType.retrying += n;
    if (status === 'errored' && Number(unknown_outcome) === 1) ofType.unknown += n;
  }
  return looked;
}

async function countSettled(database: Database, counts: CountsByType): Promise<void> {
  const statement = handledByType(database.dialect, WINDOW_MS, LOOK_MAX + 1);
  const rows = await database.query<{ type: string; n: number | string }>(statement);
  for (const { type, n } of rows) counts.forType(type).settled = Number(n);
}

async function findOldestDue(database: Database, counts: CountsByType): Promise<void> {
  const rows = await database.query<{ type: string; queue_at: unknown }>(oldestDueByType(LOOK_MAX));
  for (const { type, queue_at } of rows) counts.forType(type).oldestDueAt = fromSqlInstantOrNull(queue_at);
}

class CountsByType {
  readonly #ofType = new Map<string, TypeCounts>();

  forType(type: string): TypeCounts {
    const counts = this.#ofType.get(type) ?? {
      type,
      pending: 0,
      retrying: 0,
      errored: 0,
      unknown: 0,
      settled: 0,
      oldestDueAt: null,
    };
    this.#ofType.set(type, counts);
    return counts;
  }

  types(): string[] {
    return [...this.#ofType.keys()];
  }

  sorted(): TypeCounts[] {
    return [...this.#ofType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  }
}
