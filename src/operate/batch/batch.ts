import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import type { Queryable, Tx } from '../../database/database.js';
import { fromSqlInstant, fromSqlInstantOrNull, raw, sql } from '../../database/sql.js';
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

export const batchVerbs = ['requeue', 'discard'] as const;
export type BatchVerb = (typeof batchVerbs)[number];
export const batchStatuses = ['previewed', 'running', 'stopped', 'done'] as const;

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

export async function readBatch(database: Queryable, id: string): Promise<Batch | null> {
  const [row] = await database.query<Record<string, unknown>>(sql`
    SELECT b.*, (SELECT COUNT(*) FROM event_batch_item i WHERE i.batch_id = b.id AND i.result = 'done') AS done, (SELECT COUNT(*) FROM event_batch_item i WHERE i.batch_id = b.id AND i.result = 'skipped') AS skipped
    FROM event_batch b WHERE b.id = ${id}`);
  if (!row) return null;
  return {
    id: String(row.id),
    verb: row.verb as BatchVerb,
    filter: JSON.parse(String(row.filter)) as BatchFilter,
    status: row.status as Batch['status'],
    total: Number(row.total),
    perSecond: Number(row.per_second),
    reason: String(row.reason),
    actor: String(row.actor),
    executor: row.executor as string | null,
    executorRole: row.executor_role as string | null,
    why: row.why as string | null,
    createdAt: fromSqlInstant(row.created_at),
    startedAt: fromSqlInstantOrNull(row.started_at),
    endedAt: fromSqlInstantOrNull(row.ended_at),
    done: Number(row.done),
    skipped: Number(row.skipped),
  };
}

/** The batch of a transaction that has just written it. */
export async function mustReadBatch(tx: Tx, id: string): Promise<Batch> {
  const batch = await readBatch(tx, id);
  if (!batch) throw new Error('the batch vanished');
  return batch;
}

export interface BatchItem {
  readonly position: number;
  readonly eventId: string;
  readonly result: 'done' | 'skipped' | null;
  readonly why: string | null;
}

/** What became of each event, in order. */
export async function batchItems(
  database: Queryable,
  id: string,
  afterPosition: number,
  limit: number,
): Promise<BatchItem[]> {
  const rows = await database.query<{
    position: number;
    event_id: unknown;
    result: 'done' | 'skipped' | null;
    why: string | null;
  }>(sql`
    SELECT position, event_id, result, why FROM event_batch_item WHERE batch_id = ${id} AND position > ${afterPosition} ORDER BY position LIMIT ${raw(String(limit))}`);
  return rows.map((row) => ({
    position: Number(row.position),
    eventId: String(row.event_id),
    result: row.result,
    why: row.why,
  }));
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
