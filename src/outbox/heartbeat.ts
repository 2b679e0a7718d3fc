import type { Executed, Queryable } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, now, raw, type Sql, sql } from '../database/sql.js';
import type { Outbox } from './outbox.js';

/** How often a process says that it lives; missing for so long it counts as lost. Milliseconds. */
export const HEARTBEAT_EVERY_MS = 20_000;
export const LOST_AFTER_MS = 45_000;
const KEEP_MS = 24 * 3_600_000;
/** How long one that ended is still shown. */
const ENDED_SHOWN_MS = 3_600_000;

/** `ended`: it stopped cleanly, and said so; `lost`: it fell silent. */
export type ProcessState = 'alive' | 'lost' | 'ended';

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
  readonly breakers: readonly {
    readonly target: string;
    readonly state: string;
    readonly since: string | null;
  }[];
  readonly state: ProcessState;
}

export interface Beating {
  /** What a poller asks at each tick (`Outbox.nextDueInMs`), and a heartbeat with it: an idle scheduler sends one statement a tick. */
  look(lookAheadMs: number): Promise<number | null>;
  /** Says that this process ended; nothing it says afterwards counts. */
  stop(): Promise<void>;
}

/** Says every twenty seconds, or with each tick, that this process lives, what it runs and which vendors it finds down. */
export function beat(
  outbox: Outbox,
  kind: string,
  version: string,
  onError: (error: unknown) => void,
): Beating {
  let lastSweepMs: number | null = null;
  outbox.signals.on('swept', ({ durationMs }) => {
    lastSweepMs = Math.round(durationMs);
  });
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const say = async (along: Sql): Promise<Executed> => {
    const breakers = JSON.stringify(
      outbox
        .breakers()
        .map(({ target, state, since }) => ({ target, state, since: since?.toISOString() ?? null })),
    );
    const sweptAt = lastSweepMs === null ? null : now;
    const running = outbox.runningCount;
    const { database } = outbox;
    const executed = await database.execute(sql`
      UPDATE process_heartbeat SET seen_at = ${now}, swept_at = ${sweptAt === null ? sql`swept_at` : sweptAt}, sweep_ms = ${lastSweepMs}, running = ${running}, breakers = ${breakers} WHERE worker = ${outbox.worker} ${along}`);
    if (executed.affected === 0) {
      await database.execute(sql`
        INSERT INTO process_heartbeat (worker, kind, version, started_at, seen_at, swept_at, sweep_ms, running, breakers)
        VALUES (${outbox.worker}, ${kind}, ${version}, ${now}, ${now}, ${sweptAt}, ${lastSweepMs}, ${running}, ${breakers})`);
      await database.execute(sql`DELETE FROM process_heartbeat WHERE seen_at < ${after(-KEEP_MS)}`);
    }
    lastSweepMs = null;
    saidAtMs = performance.now();
    return executed;
  };
  let saying: Promise<unknown> = Promise.resolve();
  const sayIfSilent = (): void => {
    if (performance.now() - saidAtMs < HEARTBEAT_EVERY_MS - 1_000) return;
    saying = say(sql``).catch(onError);
  };
  sayIfSilent();
  const timer = setInterval(sayIfSilent, HEARTBEAT_EVERY_MS);
  return {
    async look(lookAheadMs) {
      const { dialect } = outbox.database;
      if (dialect.name === 'sqlite') return outbox.nextDueInMs(lookAheadMs); // an UPDATE cannot answer there
      // 0: nothing falls due; else one more than the milliseconds until then.
      const dueIn = sql`COALESCE((SELECT 1 + GREATEST(0, TIMESTAMPDIFF(MICROSECOND, ${now}, queue_at) DIV 1000) FROM outbox_event ${raw(dialect.useIndex('outbox_event_queue'))} WHERE queue_at <= ${after(lookAheadMs)} ORDER BY queue_at LIMIT 1), 0)`;
      const { affected, insertId } = await say(sql`AND ${dialect.remembered(dueIn)} >= 0`);
      if (affected === 0) return outbox.nextDueInMs(lookAheadMs);
      return insertId === '0' ? null : Number(insertId) - 1;
    },
    async stop() {
      clearInterval(timer);
      await saying; // or it would come after the end
      await outbox.database
        .execute(
          sql`UPDATE process_heartbeat SET ended_at = ${now}, seen_at = ${now}, running = 0, breakers = '[]' WHERE worker = ${outbox.worker}`,
        )
        .catch(onError);
    },
  };
}

/** Every process that was seen within a day, those that ended within an hour. */
export async function heartbeats(database: Queryable): Promise<Heartbeat[]> {
  const rows = await database.query<Record<string, unknown>>(
    sql`SELECT h.*, ${after(-LOST_AFTER_MS)} AS lost_before FROM process_heartbeat h WHERE ended_at IS NULL OR ended_at > ${after(-ENDED_SHOWN_MS)} ORDER BY ended_at, h.kind, h.started_at LIMIT 200`,
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
    state: stateOf(row),
  }));
}

function stateOf(row: Record<string, unknown>): ProcessState {
  if (row.ended_at !== null) return 'ended';
  return fromSqlInstant(row.seen_at) < fromSqlInstant(row.lost_before) ? 'lost' : 'alive';
}
