import type { Database, Tx } from '../../database/database.js';
import { instant } from '../../database/instants.js';
import { EventBatch } from '../../entities/event-batch.js';
import type { Signature } from '../audit.js';
import { auditBatch, type Batch, mustReadBatch, noSuchBatch, readBatch } from './batch.js';
import { BatchRefused } from './refused.js';

/** No further event is touched; those that were touched stay as they are. Throws Problem `not-found` or `batch-refused`. */
export async function stopBatch(database: Database, id: string, by: Signature): Promise<Batch> {
  return database.transaction(async (tx) => {
    const stopped = await endBatch(tx, id, 'stopped', `stopped by ${by.actor}`);
    const batch = await readBatch(tx, id);
    if (!batch) throw noSuchBatch();
    if (!stopped) throw new BatchRefused('status', batch);
    await auditBatch(tx, by, 'batch-stop', batch);
    return mustReadBatch(tx, id);
  });
}

/** Its event was discarded, so nothing will carry it out. */
export async function stopDiscarded(tx: Tx, id: string): Promise<void> {
  await endBatch(tx, id, 'stopped', 'its event was discarded');
}

/** running → done | stopped. False: it was not running. */
export async function endBatch(
  tx: Tx,
  id: string,
  status: 'done' | 'stopped',
  why: string | null,
): Promise<boolean> {
  const ended = { status, why, endedAt: instant(tx) };
  const { affected } = await tx.manager.update(EventBatch, { id, status: 'running' }, ended);
  return affected === 1;
}
