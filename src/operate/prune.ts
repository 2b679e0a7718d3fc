import { crashPoint } from '../base/crash-point.js';
import type { Database } from '../database/database.js';
import { inIds } from '../database/rows.js';
import { EventAttempt } from '../entities/event-attempt.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { oldestJournals, oldestSettled } from './statements.js';

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
  for (const status of ['handled', 'discarded'] as const) {
    const statement = oldestSettled(database.dialect, status, keepMs, batchSize - old.length);
    const rows = await database.query<{ id: number | string }>(statement);
    old.push(...rows.map((row) => String(row.id)));
    if (old.length >= batchSize) break;
  }
  if (old.length === 0) return 0;
  old.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  await database.transaction(async (tx) => {
    await tx.manager.delete(EventAttempt, { eventId: inIds(old) });
    crashPoint('in-prune');
    // A finished event never becomes pending again, so no other condition is needed.
    await tx.manager.delete(OutboxEvent, { id: inIds(old) });
  });
  return old.length;
}

/** Empties the journals of attempts of old errored events; the decisions and their reasons stay. Returns how many. */
export async function expireExchanges(database: Database, options: PruneOptions): Promise<number> {
  return inBatches(options, async () => {
    const statement = oldestJournals(database.dialect, options.keepMs, options.batchSize);
    const old = await database.query<{ event_id: unknown; number: number }>(statement);
    await database.transaction(async (tx) => {
      for (const { event_id, number } of old)
        await tx.manager.update(EventAttempt, { eventId: String(event_id), number }, { exchanges: null });
    });
    return old.length;
  });
}
