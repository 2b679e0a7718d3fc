import { crashPoint } from '../crash-point.js';
import type { Database } from '../database/database.js';
import { after, join, raw, sql } from '../database/sql.js';

export interface PruneOptions {
  /** Handled and discarded events older than this go, with their attempts. Milliseconds. */
  readonly keepMs: number;
  /** Rows a transaction deletes. */
  readonly batchSize: number;
  /** Batches in one call. */
  readonly batchesMax: number;
}

/** Deletes old finished events in small batches by primary key, so that no claim waits for it. Returns how many. */
export async function prune(database: Database, options: PruneOptions): Promise<number> {
  let pruned = 0;
  for (let batch = 0; batch < options.batchesMax; batch++) {
    const count = await pruneBatch(database, options);
    pruned += count;
    if (count < options.batchSize) break;
  }
  return pruned;
}

async function pruneBatch(database: Database, { keepMs, batchSize }: PruneOptions): Promise<number> {
  const ids: string[] = [];
  for (const status of ['handled', 'discarded']) {
    // Index outbox_event_settled (status, settled_at).
    const rows = await database.query<{ id: number | string }>(sql`
      SELECT id FROM outbox_event WHERE status = ${status} AND settled_at < ${after(-keepMs)} ORDER BY settled_at LIMIT ${raw(String(batchSize - ids.length))}`);
    ids.push(...rows.map((row) => String(row.id)));
    if (ids.length >= batchSize) break;
  }
  if (ids.length === 0) return 0;
  ids.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  await database.transaction(async (tx) => {
    await tx.execute(sql`DELETE FROM event_attempt WHERE event_id IN (${join(ids)})`);
    crashPoint('in-prune');
    await tx.execute(sql`DELETE FROM outbox_event WHERE id IN (${join(ids)}) AND status IN ('handled', 'discarded')`);
  });
  return ids.length;
}

/** Empties the journals of attempts of errored events that are older; what was decided, and why, stays. Returns how many. */
export async function expireExchanges(database: Database, { keepMs, batchSize, batchesMax }: PruneOptions): Promise<number> {
  let expired = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const old = await database.query<{ event_id: unknown; number: number }>(sql`
      SELECT a.event_id, a.number FROM outbox_event e JOIN event_attempt a ON a.event_id = e.id
      WHERE e.status = 'errored' AND e.settled_at < ${after(-keepMs)} AND a.exchanges IS NOT NULL ORDER BY e.settled_at LIMIT ${raw(String(batchSize))}`);
    await database.transaction(async (tx) => {
      for (const { event_id, number } of old)
        await tx.execute(sql`UPDATE event_attempt SET exchanges = NULL WHERE event_id = ${String(event_id)} AND number = ${number}`);
    });
    expired += old.length;
    if (old.length < batchSize) break;
  }
  return expired;
}
