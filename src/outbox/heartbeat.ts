import type { Executed } from '../database/database.js';
import { instant, isBefore } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import type { Sql } from '../database/sql.js';
import { ProcessHeartbeat } from '../entities/process-heartbeat.js';
import type { Outbox } from './outbox.js';
import { andNextDue, beatAgain } from './statements.js';

/** How often a process reports at least. Milliseconds. */
const HEARTBEAT_EVERY_MS = 20_000;
const KEEP_MS = 24 * 3_600_000;

interface Beating {
  /** `Outbox.nextDueInMs` and a heartbeat in one statement, for each tick of a scheduler. */
  look(lookAheadMs: number): Promise<number | null>;
  /** Reports that this process ended; no later report counts. */
  stop(): Promise<void>;
}

/** Reports, every 20 s or with each tick, that this process lives, what it runs, which vendors are down. */
export function beat(
  outbox: Outbox,
  kind: string,
  version: string,
  onError: (error: unknown) => void,
): Beating {
  const { database, worker } = outbox;
  const report = reporterOf(outbox, { kind, version });
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let reporting: Promise<unknown> = Promise.resolve();
  const now = async (also?: Sql): Promise<Executed> => {
    const executed = await report(also);
    reportedAtMs = performance.now();
    return executed;
  };
  const ifSilent = (): void => {
    if (performance.now() - reportedAtMs < HEARTBEAT_EVERY_MS - 1_000) return;
    reporting = now().catch(onError);
  };
  ifSilent();
  const timer = setInterval(ifSilent, HEARTBEAT_EVERY_MS);
  return {
    async look(lookAheadMs) {
      const { dialect } = database;
      if (dialect.name === 'sqlite') return outbox.nextDueInMs(lookAheadMs); // an UPDATE cannot answer there
      const { affected, insertId } = await now(andNextDue(dialect, lookAheadMs));
      if (affected === 0) return outbox.nextDueInMs(lookAheadMs);
      return insertId === '0' ? null : Number(insertId) - 1;
    },
    async stop() {
      clearInterval(timer);
      await reporting; // or it would come after the end
      const ended = { endedAt: instant(database), seenAt: instant(database), running: 0, breakers: '[]' };
      await database.manager.update(ProcessHeartbeat, { worker }, ended).catch(onError);
    },
  };
}

type Report = (also?: Sql) => Promise<Executed>;

function reporterOf(outbox: Outbox, about: { readonly kind: string; readonly version: string }): Report {
  const { database, worker } = outbox;
  let lastSweepMs: number | null = null;
  outbox.signals.on('swept', ({ durationMs }) => {
    lastSweepMs = Math.round(durationMs);
  });
  return async (also) => {
    const sweepMs = lastSweepMs;
    const breakers = JSON.stringify(outbox.breakers());
    const state = { worker, sweepMs, running: outbox.runningCount, breakers };
    const executed = await database.execute(beatAgain(state, also));
    if (executed.affected === 0) {
      const at = instant(database);
      const sweptAt = sweepMs === null ? null : at;
      await insertRow(database, ProcessHeartbeat, { ...state, ...about, startedAt: at, seenAt: at, sweptAt });
      await database.manager.delete(ProcessHeartbeat, { seenAt: isBefore(database, -KEEP_MS) });
    }
    lastSweepMs = null;
    return executed;
  };
}
