import type { Queryable } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, now, sql } from '../database/sql.js';
import type { Outbox } from './outbox.js';

/** How often a process says that it lives; missing for so long it counts as lost. Milliseconds. */
export const HEARTBEAT_EVERY_MS = 20_000;
export const LOST_AFTER_MS = 45_000;
const KEEP_MS = 24 * 3_600_000;

export interface Heartbeat {
  readonly worker: string;
  readonly kind: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** The end of its last sweep, and how long that took. */
  readonly sweptAt: Date | null;
  readonly sweepMs: number | null;
  readonly running: number;
  readonly breakers: readonly { readonly target: string; readonly state: string; readonly since: string | null }[];
  readonly lost: boolean;
}

/** Says every twenty seconds that this process lives, what it runs and which vendors it finds down. Returns the way to stop, which says good-bye. */
export function beat(outbox: Outbox, kind: string, version: string, onError: (error: unknown) => void): () => Promise<void> {
  let lastSweepMs: number | null = null;
  outbox.signals.on('swept', ({ durationMs }) => {
    lastSweepMs = Math.round(durationMs);
  });
  const say = async (): Promise<void> => {
    const breakers = JSON.stringify(outbox.breakers().map(({ target, state, since }) => ({ target, state, since: since?.toISOString() ?? null })));
    const sweptAt = lastSweepMs === null ? null : now;
    const running = outbox.runningCount;
    const { database } = outbox;
    const { affected } = await database.execute(sql`
      UPDATE process_heartbeat SET seen_at = ${now}, swept_at = ${sweptAt === null ? sql`swept_at` : sweptAt}, sweep_ms = ${lastSweepMs}, running = ${running}, breakers = ${breakers} WHERE worker = ${outbox.worker}`);
    if (affected === 0) {
      await database.execute(sql`
        INSERT INTO process_heartbeat (worker, kind, version, started_at, seen_at, swept_at, sweep_ms, running, breakers)
        VALUES (${outbox.worker}, ${kind}, ${version}, ${now}, ${now}, ${sweptAt}, ${lastSweepMs}, ${running}, ${breakers})`);
      await database.execute(sql`DELETE FROM process_heartbeat WHERE seen_at < ${after(-KEEP_MS)}`);
    }
    lastSweepMs = null;
  };
  const sayIfPossible = (): Promise<void> => say().catch(onError);
  void sayIfPossible();
  const timer = setInterval(() => void sayIfPossible(), HEARTBEAT_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await outbox.database.execute(sql`DELETE FROM process_heartbeat WHERE worker = ${outbox.worker}`).catch(onError);
  };
}

/** Every process that was seen within a day and has not said good-bye. */
export async function heartbeats(database: Queryable): Promise<Heartbeat[]> {
  const rows = await database.query<Record<string, unknown>>(
    sql`SELECT h.*, ${after(-LOST_AFTER_MS)} AS lost_before FROM process_heartbeat h ORDER BY h.kind, h.started_at LIMIT 200`,
  );
  return rows.map((row) => ({
    worker: String(row.worker),
    kind: String(row.kind),
    version: String(row.version),
    startedAt: fromSqlInstant(row.started_at),
    seenAt: fromSqlInstant(row.seen_at),
    sweptAt: fromSqlInstantOrNull(row.swept_at),
    sweepMs: row.sweep_ms === null ? null : Number(row.sweep_ms),
    running: Number(row.running),
    breakers: JSON.parse(String(row.breakers)) as Heartbeat['breakers'],
    lost: fromSqlInstant(row.seen_at) < fromSqlInstant(row.lost_before),
  }));
}
