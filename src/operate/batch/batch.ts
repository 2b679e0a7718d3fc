import { MoreThan } from 'typeorm';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import type { Queryable, Tx } from '../../database/database.js';
import { type BatchVerb, type batchStatuses, EventBatch } from '../../entities/event-batch.js';
import { EventBatchItem } from '../../entities/event-batch-item.js';
import type { EventDefinition } from '../../outbox/types.js';
import { audit, type Signature } from '../audit.js';

/**
 * A bulk act has three steps. The preview freezes the set and shows what is in it. Its token executes exactly that set, one event after the
 * other at a rate, the first event alone until it has ended well. Each item's act and its result are one transaction. The run is itself an
 * event, so that it survives a restart and goes on where it stopped.
 */
export const batchRun: EventDefinition<{ batchId: string }> = {
  type: 'EVENT_BATCH',
  target: 'operations',
  version: 1,
  schema: z.strictObject({ batchId: z.string().regex(/^\d+$/) }),
  example: { batchId: '1' },
  dedupeKey: ({ batchId }) => batchId,
  orderingKey: () => null,
};

export { type BatchVerb, batchStatuses, batchVerbs } from '../../entities/event-batch.js';

export interface BatchFilter {
  readonly type?: string | undefined;
  readonly cause?: string | undefined;
}

export interface Batch {
  readonly id: string;
  readonly verb: BatchVerb;
  readonly filter: BatchFilter;
  readonly status: (typeof batchStatuses)[number];
  readonly total: number;
  readonly perSecond: number;
  readonly reason: string;
  /** The person who previewed it, and the person who executed it. */
  readonly actor: string;
  readonly executor: string | null;
  readonly executorRole: string | null;
  /** Why it was stopped. */
  readonly why: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly done: number;
  readonly skipped: number;
}

export const noSuchBatch = (): Problem =>
  new Problem('not-found', { detail: 'there is no such batch, or the token is not its own' });

export async function readBatch({ manager }: Queryable, id: string): Promise<Batch | null> {
  const row = await manager.findOneBy(EventBatch, { id });
  if (!row) return null;
  const { token, role, requestId, filter, ...shown } = row; // the token is for whoever made the preview
  return {
    ...shown,
    filter: JSON.parse(filter) as BatchFilter,
    done: await manager.countBy(EventBatchItem, { batchId: id, result: 'done' }),
    skipped: await manager.countBy(EventBatchItem, { batchId: id, result: 'skipped' }),
  };
}

/** The batch of a transaction that has just written it. */
export async function mustReadBatch(tx: Tx, id: string): Promise<Batch> {
  const batch = await readBatch(tx, id);
  if (!batch) throw new Error('the batch vanished');
  return batch;
}

export type BatchItem = Pick<EventBatchItem, 'position' | 'eventId' | 'result' | 'why'>;

/** What became of each event, in order. */
export async function batchItems(
  { manager }: Queryable,
  batchId: string,
  afterPosition: number,
  limit: number,
): Promise<BatchItem[]> {
  const items = await manager.find(EventBatchItem, {
    where: { batchId, position: MoreThan(afterPosition) },
    order: { position: 'ASC' },
    take: limit,
  });
  return items.map(({ position, eventId, result, why }) => ({ position, eventId, result, why }));
}

export function auditBatch(
  tx: Tx,
  by: Signature,
  verb: 'batch-execute' | 'batch-stop',
  batch: Batch,
): Promise<void> {
  return audit(tx, by, {
    verb,
    targetType: 'batch',
    targetId: batch.id,
    subjectId: null,
    before: { status: verb === 'batch-stop' ? 'running' : batch.status },
    after: { verb: batch.verb, filter: batch.filter, total: batch.total, reason: batch.reason },
  });
}
