import type { Database, Tx } from '../../database/database.js';
import { instant, isAfter } from '../../database/instants.js';
import { forUpdate } from '../../database/locks.js';
import { EventBatch } from '../../entities/event-batch.js';
import { record } from '../../outbox/record.js';
import type { Signature } from '../audit.js';
import { auditBatch, type Batch, batchRun, mustReadBatch, noSuchBatch, readBatch } from './batch.js';
import { type BatchRefusal, BatchRefused } from './refused.js';

/** Above so many events a person must send their number. */
export const TYPE_COUNT_ABOVE = 10;
/** Above so many events another person must execute the batch. */
const SECOND_PERSON_ABOVE = 1_000;
const TOKEN_VALID_MS = 15 * 60_000;

export interface Execution {
  readonly token: string;
  /** The number of events, typed by a person. */
  readonly count?: number | undefined;
  /** No second person is needed: an admin, or the command line with --yes. */
  readonly alone?: boolean;
}

/** Starts a previewed batch, once. Throws Problem `not-found` or `batch-refused`. */
export async function executeBatch(
  database: Database,
  id: string,
  execution: Execution,
  by: Signature,
): Promise<Batch> {
  return database.transaction(async (tx) => {
    const { batch, isFresh } = await lockBatch(tx, id, execution.token);
    const refusal = refusalOf(batch, isFresh, execution, by);
    if (refusal) throw new BatchRefused(refusal, batch);
    const running = { status: 'running', startedAt: instant(tx) } as const;
    const executor = { executor: by.actor, executorRole: by.role };
    await tx.manager.update(EventBatch, { id, status: 'previewed' }, { ...running, ...executor });
    await record(tx, batchRun, { batchId: id });
    await auditBatch(tx, by, 'batch-execute', batch);
    return mustReadBatch(tx, id);
  });
}

/** Locks the row before it reads the batch: of several executions at once the first starts it, and the others see that. */
async function lockBatch(tx: Tx, id: string, token: string): Promise<{ batch: Batch; isFresh: boolean }> {
  const row = await tx.manager.findOne(EventBatch, { where: { id }, ...forUpdate(tx) });
  const batch = await readBatch(tx, id);
  if (!batch || !row || row.token !== token) throw noSuchBatch();
  const fresh = { id, createdAt: isAfter(tx, -TOKEN_VALID_MS) };
  return { batch, isFresh: await tx.manager.existsBy(EventBatch, fresh) };
}

function refusalOf(
  batch: Batch,
  isFresh: boolean,
  { count, alone }: Execution,
  by: Signature,
): BatchRefusal | null {
  if (batch.status !== 'previewed') return 'status';
  if (!isFresh) return 'expired';
  if (batch.total === 0) return 'empty';
  if (batch.total > TYPE_COUNT_ABOVE && count !== batch.total) return 'count';
  if (batch.total > SECOND_PERSON_ABOVE && !alone && by.actor === batch.actor) return 'second-person';
  return null;
}
