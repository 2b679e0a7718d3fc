import { crashPoint } from '../base/crash-point.js';
import type { Database } from '../database/database.js';
import { after, ids, raw, sql } from '../database/sql.js';

export interface PruneOptions {
  /** Handled and discarded events older than this are deleted, with their attempts. Milliseconds. */
  readonly keepMs: number;
  /** Rows that one transaction deletes. */
  readonly batchSize: number;
  /** Batches in one call. */
  readonly batchesMax: number;
}

/** Runs small batches until one is not full, or until `batchesMax` have run. Returns how many rows in all. */
async function inBatches(
  { batchSize, batchesMax }: PruneOptions,
  batch: () => Promise<number>,
): Promise<number> {
  let all = 0;
  for (let n = 0; n < batchesMax; n++) {
    const count = await batch();
    all += count;
    if (count < batchSize) break;
  }
  return all;
}

/** Deletes old finished events in small batches by primary key, so that no claim waits for it. Returns how many. */
export async function prune(database: Database, options: PruneOptions): Promise<number> {
  return inBatches(options, () => pruneBatch(database, options));
}

async function pruneBatch(database: Database, { keepMs, batchSize }: PruneOptions): Promise<number> {
  const old: string[] = [];
  for (const status of ['handled', 'discarded']) {
    // Index outbox_event_settled (status, settled_at).
    const rows = await database.query<{ id: number | string }>(sql`
      SELECT id FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_settled'))} WHERE status = ${status} AND settled_at < ${after(-keepMs)} ORDER BY settled_at LIMIT ${raw(String(batchSize - old.length))}`);
    old.push(...rows.map((row) => String(row.id)));
    if (old.length >= batchSize) break;
  }
  if (old.length === 0) return 0;
  old.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  await database.transaction(async (tx) => {
    await tx.execute(sql`DELETE FROM event_attempt WHERE event_id IN (${ids(old)})`);
    crashPoint('in-prune');
    await tx.execute(sql`DELETE FROM outbox_event WHERE id IN (${ids(old)})`); // a finished row never becomes pending again, so that the id alone is condition enough
  });
  return old.length;
}

/** Empties the journals of attempts of old errored events; the decisions and their reasons stay. Returns how many. */
export async function expireExchanges(database: Database, options: PruneOptions): Promise<number> {
  return inBatches(options, async () => {
    const old = await database.query<{ event_id: unknown; number: number }>(sql`
      SELECT a.event_id, a.number FROM outbox_event e ${raw(database.dialect.useIndex('outbox_event_settled'))} JOIN event_attempt a ON a.event_id = e.id
      WHERE e.status = 'errored' AND e.settled_at < ${after(-options.keepMs)} AND a.exchanges IS NOT NULL ORDER BY e.settled_at LIMIT ${raw(String(options.batchSize))}`);
    await database.transaction(async (tx) => {
      for (const { event_id, number } of old)
        await tx.execute(
          sql`UPDATE event_attempt SET exchanges = NULL WHERE event_id = ${String(event_id)} AND number = ${number}`,
        );
    });
    return old.length;
  });
}
