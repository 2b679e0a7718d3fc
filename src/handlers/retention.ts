import { pruneOccurrences } from '../alerts/group.js';
import type { Database } from '../database/database.js';
import { after, ids, join, raw, sql } from '../database/sql.js';
import { expireExchanges, prune } from '../operate/prune.js';

const DAY_MS = 86_400_000;
/** Rows that one transaction deletes, by primary key: nobody waits for it. */
const BATCH_ROWS = 500;
/** A preview that nobody executed; its token is valid for fifteen minutes. */
const PREVIEW_KEEP_MS = DAY_MS;
/** What a process said of itself. */
const HEARTBEAT_KEEP_MS = DAY_MS;

export interface Retention {
  readonly keepDays: number;
  readonly keepExchangesDays: number;
  readonly keepAuditDays: number;
  /** The contract's seven days. */
  readonly keepIdempotencyMs: number;
}

/** One table that grows, and how its end is made: a batch at a time. */
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

/** Works every table off until it is caught up with, or the time is up: the next one goes on. `signal`: the attempt is over. */
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
  const oldest = (of: Oldest) => counted(deleteOldest(database, of));
  return [
    {
      what: 'idempotency records',
      batch: () =>
        oldest({
          table: 'idempotency_record',
          key: 'scope_hash',
          at: 'created_at',
          order: 'created_at',
          keepMs: keepIdempotencyMs,
        }),
    },
    { what: 'events', batch: () => counted(prune(database, { ...once, keepMs })) },
    {
      what: 'journals of attempts',
      batch: () => counted(expireExchanges(database, { ...once, keepMs: keepExchangesDays * DAY_MS })),
    },
    { what: 'occurrences of alerts', batch: () => counted(pruneOccurrences(database, { ...once, keepMs })) },
    {
      what: 'messages of alerts',
      batch: () => oldest({ table: 'alert_message', key: 'id', at: 'slot_at', order: 'id', keepMs }),
    },
    { what: 'recovered alerts', batch: () => counted(deleteRecovered(database, keepMs)) },
    { what: 'bulk acts', batch: () => deleteBatchPart(database, keepMs) },
    {
      what: 'pauses',
      batch: () => oldest({ table: 'event_pause', key: 'id', at: 'until_at', order: 'until_at', keepMs }),
    },
    {
      what: 'heartbeats',
      batch: () =>
        oldest({
          table: 'process_heartbeat',
          key: 'worker',
          at: 'seen_at',
          order: 'seen_at',
          keepMs: HEARTBEAT_KEEP_MS,
        }),
    },
    {
      what: 'acts of people',
      batch: () =>
        ifAllowed(() =>
          oldest({
            table: 'operator_action',
            key: 'id',
            at: 'at',
            order: 'id',
            keepMs: keepAuditDays * DAY_MS,
          }),
        ),
    },
  ];
}

interface Oldest {
  readonly table:
    | 'idempotency_record'
    | 'alert_message'
    | 'event_pause'
    | 'process_heartbeat'
    | 'operator_action';
  /** Its primary key. */
  readonly key: 'id' | 'scope_hash' | 'worker';
  readonly at: string;
  /** An index delivers this order, so that the look ends after one batch. */
  readonly order: string;
  readonly keepMs: number;
}

async function deleteOldest(database: Database, { table, key, at, order, keepMs }: Oldest): Promise<number> {
  const old = await database.query<{ k: number | string }>(sql`
    SELECT k FROM (SELECT ${raw(key)} AS k, ${raw(at)} AS at FROM ${raw(table)} ORDER BY ${raw(order)} LIMIT ${raw(String(BATCH_ROWS))}) AS oldest WHERE at < ${after(-keepMs)}`);
  if (old.length === 0) return 0;
  const keys = old.map(({ k }) => String(k)).sort();
  await database.execute(
    sql`DELETE FROM ${raw(table)} WHERE ${raw(key)} IN (${key === 'id' ? ids(keys) : join(keys)})`,
  );
  return old.length;
}

/** The group of an open cause stays, however old. */
async function deleteRecovered(database: Database, keepMs: number): Promise<number> {
  const old = await database.query<{ id: unknown }>(sql`
    SELECT id FROM alert ${raw(database.dialect.useIndex('alert_last_at'))} WHERE last_at < ${after(-keepMs)} AND status = 'recovered' ORDER BY last_at LIMIT ${raw(String(BATCH_ROWS))}`);
  if (old.length === 0) return 0;
  await database.execute(sql`
    DELETE FROM alert WHERE id IN (${ids(old.map(({ id }) => String(id)))}) AND status = 'recovered' AND last_at < ${after(-keepMs)}`);
  return old.length;
}

/** Some items of the oldest bulk act that has ended, or that nobody executed; with the last of them the act itself. */
async function deleteBatchPart(database: Database, keepMs: number): Promise<{ rows: number; more: boolean }> {
  const [batch] = await database.query<{ id: unknown }>(sql`
    SELECT id FROM event_batch WHERE (status IN ('done', 'stopped') AND ended_at < ${after(-keepMs)}) OR (status = 'previewed' AND created_at < ${after(-PREVIEW_KEEP_MS)}) ORDER BY id LIMIT 1`);
  if (!batch) return { rows: 0, more: false };
  const id = String(batch.id);
  const items = await database.query<{ position: number }>(
    sql`SELECT position FROM event_batch_item WHERE batch_id = ${id} ORDER BY position LIMIT ${raw(String(BATCH_ROWS))}`,
  );
  const last = items.at(-1)?.position;
  if (last !== undefined)
    await database.execute(sql`DELETE FROM event_batch_item WHERE batch_id = ${id} AND position <= ${last}`);
  if (items.length < BATCH_ROWS)
    await database.execute(sql`DELETE FROM event_batch WHERE id = ${id} AND status <> 'running'`);
  return { rows: items.length, more: true };
}

/** Where the audit is append-only for the processes (`deploy/grants.sql`), its end is made by whoever owns the database. */
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
