import { IsNull } from 'typeorm';
import { crashPoint } from '../../base/crash-point.js';
import { Problem, WrongState } from '../../base/problems.js';
import { cutCharacters } from '../../base/text.js';
import type { Database, Tx } from '../../database/database.js';
import { instant } from '../../database/instants.js';
import { forUpdate } from '../../database/locks.js';
import { EventBatchItem } from '../../entities/event-batch-item.js';
import type { Registry } from '../../outbox/registry.js';
import type { Signature } from '../audit.js';
import { discardIn } from '../discard.js';
import { requeueIn } from '../requeue.js';
import { type Batch, readBatch } from './batch.js';
import { canaryOf } from './canary.js';
import { endBatch } from './stop.js';

const SLICE_MS = 4_000;
const CANARY_LOOK_MS = 1_000;
/** Characters, as wide as its column. */
const WHY_MAX = 100;

export type Slice =
  | { readonly kind: 'ended'; readonly note: string }
  | { readonly kind: 'again'; readonly inMs: number };

/** Works on a running batch for a few seconds. The caller calls it again until the batch has ended; two calls at once do nothing twice. */
export async function runBatchSlice(
  database: Database,
  registry: Registry,
  id: string,
  { signal, sleep }: { signal: AbortSignal; sleep(ms: number): Promise<void> },
): Promise<Slice> {
  const untilMs = performance.now() + SLICE_MS;
  for (;;) {
    const batch = await readBatch(database, id);
    if (batch?.status !== 'running')
      return {
        kind: 'ended',
        note: batch ? `${batch.status}: ${batch.why ?? ''}` : 'there is no such batch',
      };
    const item = await nextItem(database, id);
    if (!item) {
      await database.transaction((tx) => endBatch(tx, id, 'done', null));
      return { kind: 'ended', note: `${batch.done} done, ${batch.skipped} skipped` };
    }
    const canary = batch.verb === 'requeue' ? await canaryOf(database, batch) : 'well';
    if (canary === 'wait') return { kind: 'again', inMs: CANARY_LOOK_MS };
    if (canary !== 'well') {
      await database.transaction((tx) => endBatch(tx, id, 'stopped', canary));
      return { kind: 'ended', note: canary };
    }
    await actOnItem(database, registry, batch, item);
    if (signal.aborted || performance.now() > untilMs) return { kind: 'again', inMs: 0 };
    await sleep(1000 / batch.perSecond);
  }
}

function nextItem({ manager }: Database, batchId: string): Promise<EventBatchItem | null> {
  const where = { batchId, result: IsNull() };
  return manager.findOne(EventBatchItem, { where, order: { position: 'ASC' } });
}

/** The act and its result in one transaction: an item is never done twice, nor done without its mark. */
async function actOnItem(
  database: Database,
  registry: Registry,
  batch: Batch,
  item: EventBatchItem,
): Promise<void> {
  await database.transaction(async (tx) => {
    const open = { batchId: batch.id, position: item.position, result: IsNull() };
    if (!(await tx.manager.findOne(EventBatchItem, { where: open, ...forUpdate(tx) }))) return;
    const why = await skippedBecause(() => actOn(tx, registry, batch, item));
    const result = why === null ? 'done' : 'skipped';
    await tx.manager.update(EventBatchItem, open, { result, why, at: instant(tx) });
    crashPoint('in-batch-item');
  });
}

function actOn(
  tx: Tx,
  registry: Registry,
  batch: Batch,
  { eventId, attempt }: EventBatchItem,
): Promise<void> {
  const by: Signature = {
    actor: batch.executor ?? batch.actor,
    role: batch.executorRole ?? 'operator',
    reason: batch.reason,
    requestId: `batch-${batch.id}`,
  };
  return batch.verb === 'requeue'
    ? requeueIn(tx, eventId, by, attempt)
    : discardIn(tx, registry, eventId, by, attempt);
}

/** Null: it was done. An act that refuses has written nothing, so that its transaction goes on. */
async function skippedBecause(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof WrongState) return `it is ${error.currentStatus} now`;
    if (!(error instanceof Problem)) throw error;
    return error.code === 'not-found' ? 'it is gone' : cutCharacters(error.message, WHY_MAX);
  }
}
