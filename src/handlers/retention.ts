import { In, LessThanOrEqual, Not, type ObjectLiteral } from 'typeorm';
import type { Database } from '../database/database.js';
import { isBefore } from '../database/instants.js';
import { inIds } from '../database/rows.js';
import { Alert } from '../entities/alert.js';
import { AlertMessage } from '../entities/alert-message.js';
import { AlertOccurrence } from '../entities/alert-occurrence.js';
import { EventBatch } from '../entities/event-batch.js';
import { EventBatchItem } from '../entities/event-batch-item.js';
import { EventPause } from '../entities/event-pause.js';
import { IdempotencyRecord } from '../entities/idempotency-record.js';
import { OperatorAction } from '../entities/operator-action.js';
import { ProcessHeartbeat } from '../entities/process-heartbeat.js';
import { expireExchanges, prune } from '../operate/prune.js';

const DAY_MS = 86_400_000;
/** Rows that one transaction deletes, by primary key, so that no other transaction waits long for it. */
const BATCH_ROWS = 500;
/** A preview that was never executed; its token is valid for fifteen minutes. */
const PREVIEW_KEEP_MS = DAY_MS;
/** Heartbeats of processes. */
const HEARTBEAT_KEEP_MS = DAY_MS;

export interface Retention {
  readonly keepDays: number;
  readonly keepExchangesDays: number;
  readonly keepAuditDays: number;
  /** The contract's seven days. */
  readonly keepIdempotencyMs: number;
}

/** One table that grows, and how it is pruned: a batch at a time. */
interface Chore {
  readonly what: string;
  /** Deletes the oldest rows that are past their retention. `more`: there may be others. */
  batch(): Promise<{ readonly rows: number; readonly more: boolean }>;
}

export interface Swept {
  readonly counts: ReadonlyMap<string, number>;
  /** The time was up before everything was done. */
  readonly more: boolean;
}

/**
 * Prunes every table until it is caught up with, or the time is up; the next attempt goes on. `signal`: the
 * attempt is over.
 */
export async function sweep(
  database: Database,
  retention: Retention,
  budgetMs: number,
  signal: AbortSignal,
): Promise<Swept> {
  const untilMs = performance.now() + budgetMs;
  const counts = new Map<string, number>();
  for (const { what, batch } of choresOf(database, retention)) {
    for (;;) {
      if (signal.aborted || performance.now() > untilMs) return { counts, more: true };
      const { rows, more } = await batch();
      counts.set(what, (counts.get(what) ?? 0) + rows);
      if (!more) break;
    }
  }
  return { counts, more: false };
}

/** THE list; docs/operations.md tells it to operators. What grows fastest goes first. */
function choresOf(
  database: Database,
  { keepDays, keepExchangesDays, keepAuditDays, keepIdempotencyMs }: Retention,
): Chore[] {
  const keepMs = keepDays * DAY_MS;
  const once = { batchSize: BATCH_ROWS, batchesMax: 1 };
  const counted = async (work: Promise<number>) => {
    const rows = await work;
    return { rows, more: rows >= BATCH_ROWS };
  };
  const oldest = <E extends ObjectLiteral>(of: Oldest<E>) => counted(deleteOldest(database, of));
  return [
    {
      what: 'idempotency records',
      batch: () =>
        oldest({ of: IdempotencyRecord, key: 'scopeHash', at: 'createdAt', keepMs: keepIdempotencyMs }),
    },
    { what: 'events', batch: () => counted(prune(database, { ...once, keepMs })) },
    {
      what: 'journals of attempts',
      batch: () => counted(expireExchanges(database, { ...once, keepMs: keepExchangesDays * DAY_MS })),
    },
    {
      what: 'occurrences of alerts',
      batch: () => oldest({ of: AlertOccurrence, key: 'id', at: 'at', keepMs }),
    },
    {
      what: 'messages of alerts',
      batch: () => oldest({ of: AlertMessage, key: 'id', at: 'slotAt', keepMs }),
    },
    { what: 'recovered alerts', batch: () => counted(deleteRecovered(database, keepMs)) },
    { what: 'bulk acts', batch: () => deleteBatchPart(database, keepMs) },
    {
      what: 'pauses',
      batch: () => oldest({ of: EventPause, key: 'id', at: 'untilAt', orderBy: 'untilAt', keepMs }),
    },
    {
      what: 'heartbeats',
      batch: () => oldest({ of: ProcessHeartbeat, key: 'worker', at: 'seenAt', keepMs: HEARTBEAT_KEEP_MS }),
    },
    {
      what: 'acts of people',
      batch: () =>
        ifAllowed(() => oldest({ of: OperatorAction, key: 'id', at: 'at', keepMs: keepAuditDays * DAY_MS })),
    },
  ];
}

interface Oldest<E> {
  readonly of: new () => E;
  /** Its primary key. */
  readonly key: keyof E & ('id' | 'scopeHash' | 'worker');
  readonly at: keyof E & string;
  /**
   * By which column the oldest are found; an index delivers this order, so that the look ends after one
   * batch.
   */
  readonly orderBy?: keyof E & string;
  readonly keepMs: number;
}

/**
 * Looks at one batch, the oldest. Rows with a higher id are younger, but for a few that were written at the
 * same time.
 */
async function deleteOldest<E extends ObjectLiteral>(
  database: Database,
  { of, key, at, orderBy = key === 'id' ? key : at, keepMs }: Oldest<E>,
): Promise<number> {
  const endMs = (await database.now()).getTime() - keepMs;
  const rows = await database.manager
    .createQueryBuilder(of, 'row')
    .select([`row.${key}`, `row.${at}`])
    .orderBy(`row.${orderBy}`)
    .limit(BATCH_ROWS)
    .getMany();
  const keys = rows.filter((row) => (row[at] as Date).getTime() < endMs).map((row) => row[key] as string);
  if (keys.length === 0) return 0;
  const where = key === 'id' ? inIds(keys) : In(keys.sort());
  await database.manager
    .createQueryBuilder()
    .delete()
    .from(of)
    .where({ [key]: where })
    .execute();
  return keys.length;
}

/** The group of an open cause stays, however old. */
async function deleteRecovered(database: Database, keepMs: number): Promise<number> {
  const isOld = { status: 'recovered', lastAt: isBefore(database, -keepMs) } as const;
  const old = await database.manager
    .createQueryBuilder(Alert, 'alert')
    .useIndex('alert_last_at')
    .select('alert.id')
    .where(isOld)
    .orderBy('alert.lastAt')
    .limit(BATCH_ROWS)
    .getMany();
  if (old.length === 0) return 0;
  await database.manager.delete(Alert, { id: inIds(old.map(({ id }) => id)), ...isOld });
  return old.length;
}

/**
 * Deletes some items of the oldest bulk act that has ended, or that was never executed; with the last item
 * the act itself.
 */
async function deleteBatchPart(database: Database, keepMs: number): Promise<{ rows: number; more: boolean }> {
  const { manager } = database;
  const batch = await manager.findOne(EventBatch, {
    where: [
      { status: In(['done', 'stopped']), endedAt: isBefore(database, -keepMs) },
      { status: 'previewed', createdAt: isBefore(database, -PREVIEW_KEEP_MS) },
    ],
    order: { id: 'ASC' },
  });
  if (!batch) return { rows: 0, more: false };
  const { id: batchId } = batch;
  const items = await manager.find(EventBatchItem, {
    where: { batchId },
    order: { position: 'ASC' },
    take: BATCH_ROWS,
  });
  const last = items.at(-1)?.position;
  if (last !== undefined) await manager.delete(EventBatchItem, { batchId, position: LessThanOrEqual(last) });
  if (items.length < BATCH_ROWS) await manager.delete(EventBatch, { id: batchId, status: Not('running') });
  return { rows: items.length, more: true };
}

/** Where the audit is append-only for the processes (deploy/grants.sql), the database's owner prunes it. */
async function ifAllowed(
  work: () => Promise<{ rows: number; more: boolean }>,
): Promise<{ rows: number; more: boolean }> {
  try {
    return await work();
  } catch (error) {
    if ((error as { errno?: number }).errno === DELETE_DENIED) return { rows: 0, more: false };
    throw error;
  }
}

const DELETE_DENIED = 1142;
