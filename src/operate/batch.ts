import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { crashPoint } from '../base/crash-point.js';
import { cutCharacters } from '../base/text.js';
import type { Database, Queryable, Tx } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, join, now, raw, sql } from '../database/sql.js';
import { record } from '../outbox/record.js';
import type { Registry } from '../outbox/registry.js';
import type { EventDefinition } from '../outbox/types.js';
import { type Act, audit } from './audit.js';
import { discardIn } from './discard.js';
import { countEvents } from './list.js';
import { type ActResult, requeueIn } from './requeue.js';

/**
 * Bulk acts, in three steps: a preview freezes the set and says what it is; its token executes exactly that set, one event after the
 * other at a rate, the first one alone until it has ended well; each item's act and its result are one transaction. The run is itself an
 * event, so that it survives a restart and goes on where it was.
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

/** A frozen set is no larger than this: more is another batch. */
export const BATCH_MAX = 10_000;
export const RATE_MAX = 50;
/** From so many on the number must be typed; from so many on another person must execute it. */
export const TYPE_COUNT_ABOVE = 10;
export const SECOND_PERSON_ABOVE = 1_000;
const TOKEN_VALID_MS = 15 * 60_000;
const SLICE_MS = 4_000;
const CANARY_LOOK_MS = 1_000;
const SECOND_STAGE = 0.05;
const LAST_LOOKED_AT = 20;
const CANARY_MAX_MS = 5 * 60_000;
const SAMPLES = 5;
/** Characters, as wide as its column. */
const WHY_MAX = 100;

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
  /** Who previewed it, and who executed it. */
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

export interface Preview {
  readonly batch: Batch;
  readonly token: string;
  readonly groups: readonly {
    readonly type: string;
    readonly cause: string | null;
    readonly count: number;
  }[];
  readonly oldestAt: Date | null;
  readonly newestAt: Date | null;
  /** Ids of events of the set. */
  readonly samples: readonly string[];
  readonly expectedS: number;
  /** There were more than a batch may hold. */
  readonly cut: boolean;
  /** Events of the filter that are pending, perhaps running, and therefore not in it; up to 10,001. */
  readonly excludedPending: number;
}

/** Freezes every errored event that the filter names. Nothing is done to them. */
export async function previewBatch(
  database: Database,
  verb: BatchVerb,
  filter: BatchFilter,
  perSecond: number,
  act: Act & { reason: string },
): Promise<Preview> {
  const token = randomBytes(16).toString('hex');
  return database.transaction(async (tx) => {
    const found = await tx.query<{
      id: number | string;
      attempt: number;
      type: string;
      cause: string | null;
      settled_at: unknown;
    }>(sql`
      SELECT id, attempt, type, cause, settled_at FROM outbox_event WHERE status = 'errored' ${filter.type ? sql`AND type = ${filter.type}` : sql``} ${filter.cause ? sql`AND cause = ${filter.cause} AND cause_status = 'errored'` : sql``}
      ORDER BY id LIMIT ${raw(String(BATCH_MAX + 1))}`);
    const set = found.slice(0, BATCH_MAX);
    const { insertId } = await tx.execute(sql`
      INSERT INTO event_batch (token, verb, filter, status, total, per_second, reason, actor, role, request_id, created_at)
      VALUES (${token}, ${verb}, ${JSON.stringify(filter)}, 'previewed', ${set.length}, ${perSecond}, ${act.reason}, ${act.actor}, ${act.role}, ${act.requestId}, ${now})`);
    for (let from = 0; from < set.length; from += 500) {
      const rows = set
        .slice(from, from + 500)
        .map((row, i) => sql`(${insertId}, ${from + i + 1}, ${String(row.id)}, ${row.attempt})`);
      await tx.execute(
        sql`INSERT INTO event_batch_item (batch_id, position, event_id, attempt) VALUES ${join(rows)}`,
      );
    }
    const groups = new Map<string, { type: string; cause: string | null; count: number }>();
    for (const { type, cause } of set) {
      const group = groups.get(`${type} ${cause}`) ?? { type, cause, count: 0 };
      group.count += 1;
      groups.set(`${type} ${cause}`, group);
    }
    const times = set.map((row) => fromSqlInstant(row.settled_at).getTime());
    const step = Math.max(1, Math.floor(set.length / SAMPLES));
    return {
      batch: await mustRead(tx, insertId),
      token,
      groups: [...groups.values()].sort((a, b) => b.count - a.count),
      oldestAt: times.length > 0 ? new Date(times.reduce((a, b) => Math.min(a, b))) : null,
      newestAt: times.length > 0 ? new Date(times.reduce((a, b) => Math.max(a, b))) : null,
      samples: set
        .filter((_row, i) => i % step === 0)
        .slice(0, SAMPLES)
        .map((row) => String(row.id)),
      expectedS: Math.ceil(set.length / perSecond),
      cut: found.length > BATCH_MAX,
      excludedPending: await countEvents(tx, {
        state: 'pending',
        types: filter.type === undefined ? undefined : [filter.type],
        cause: filter.cause,
      }),
    };
  });
}

export type BatchResult =
  | { readonly kind: 'done'; readonly batch: Batch }
  | { readonly kind: 'not-found' }
  /** `expired`, `empty`, `count`: the typed number is not the set's; `second-person`: too large for the one who previewed it. */
  | {
      readonly kind: 'refused';
      readonly why: 'expired' | 'empty' | 'count' | 'second-person' | 'status';
      readonly batch: Batch;
    };

export interface Execution {
  readonly token: string;
  /** Typed by a person; needed above ten. */
  readonly count?: number | undefined;
  /** The command line with --yes: no second person. */
  readonly alone?: boolean;
}

/** Starts a previewed batch, once. */
export async function executeBatch(
  database: Database,
  id: string,
  { token, count, alone }: Execution,
  act: Act,
): Promise<BatchResult> {
  return database.transaction(async (tx) => {
    // Locked before it is read: of several at once the first one starts it, and the others see that.
    const [row] = await tx.query<{ token: string; fresh: number | string }>(sql`
      SELECT token, CASE WHEN created_at > ${after(-TOKEN_VALID_MS)} THEN 1 ELSE 0 END AS fresh FROM event_batch WHERE id = ${id} ${raw(tx.dialect.forUpdate)}`);
    const batch = await readBatch(tx, id);
    if (!batch || !row || row.token !== token) return { kind: 'not-found' };
    if (batch.status !== 'previewed') return { kind: 'refused', why: 'status', batch };
    if (Number(row.fresh) !== 1) return { kind: 'refused', why: 'expired', batch };
    if (batch.total === 0) return { kind: 'refused', why: 'empty', batch };
    if (batch.total > TYPE_COUNT_ABOVE && count !== batch.total)
      return { kind: 'refused', why: 'count', batch };
    if (batch.total > SECOND_PERSON_ABOVE && !alone && act.actor === batch.actor)
      return { kind: 'refused', why: 'second-person', batch };
    await tx.execute(sql`
      UPDATE event_batch SET status = 'running', started_at = ${now}, executor = ${act.actor}, executor_role = ${act.role} WHERE id = ${id} AND status = 'previewed'`);
    await record(tx, batchRun, { batchId: id });
    await auditBatch(tx, 'batch-execute', batch, act);
    return { kind: 'done', batch: await mustRead(tx, id) };
  });
}

/** No further event is touched; those that were stay as they are. */
export async function stopBatch(database: Database, id: string, act: Act): Promise<BatchResult> {
  return database.transaction(async (tx) => {
    const stopped = await endBatch(tx, id, 'stopped', `stopped by ${act.actor}`);
    const batch = await readBatch(tx, id);
    if (!batch) return { kind: 'not-found' };
    if (!stopped) return { kind: 'refused', why: 'status', batch };
    await auditBatch(tx, 'batch-stop', batch, act);
    return { kind: 'done', batch: await mustRead(tx, id) };
  });
}

export type Slice =
  | { readonly kind: 'ended'; readonly note: string }
  | { readonly kind: 'again'; readonly inMs: number };

/** Works on a running batch for a few seconds. Called again until it has ended; whoever calls it twice at once does nothing twice. */
export async function runBatchSlice(
  database: Database,
  registry: Registry,
  id: string,
  signal: AbortSignal,
  sleep: (ms: number) => Promise<void>,
): Promise<Slice> {
  const untilMs = performance.now() + SLICE_MS;
  for (;;) {
    const batch = await readBatch(database, id);
    if (batch?.status !== 'running')
      return {
        kind: 'ended',
        note: batch ? `${batch.status}: ${batch.why ?? ''}` : 'there is no such batch',
      };
    const [item] = await database.query<{ position: number; event_id: unknown; attempt: number }>(
      sql`SELECT position, event_id, attempt FROM event_batch_item WHERE batch_id = ${id} AND result IS NULL ORDER BY position LIMIT 1`,
    );
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

type Canary =
  | 'well'
  | 'wait'
  | 'the first one failed again'
  | 'the first one did not end'
  | 'more than half of the last twenty failed again';

/** The first event that was requeued goes alone, then five in a hundred, then all; more than ten failures among the last twenty end it. */
async function canaryOf(database: Database, batch: Batch): Promise<Canary> {
  if (batch.done === 0) return 'well';
  const rows = await database.query<{ status: string; late: number | string }>(sql`
    SELECT e.status, CASE WHEN i.at < ${after(-CANARY_MAX_MS)} THEN 1 ELSE 0 END AS late FROM event_batch_item i JOIN outbox_event e ON e.id = i.event_id
    WHERE i.batch_id = ${batch.id} AND i.result = 'done' ORDER BY i.position DESC LIMIT ${raw(String(LAST_LOOKED_AT))}`);
  const failed = rows.filter(({ status }) => status === 'errored').length;
  if (batch.done === 1 && failed === 1) return 'the first one failed again';
  if (failed > LAST_LOOKED_AT / 2) return 'more than half of the last twenty failed again';
  const waits = batch.done === 1 || batch.done === Math.ceil(batch.total * SECOND_STAGE);
  const open = rows.filter(({ status }) => status === 'pending');
  if (!waits || open.length === 0) return 'well';
  if (batch.done === 1 && Number(open[0]?.late) === 1) return 'the first one did not end';
  return open.every(({ late }) => Number(late) === 1) ? 'well' : 'wait';
}

/** The act and its result in one transaction: an item is never done twice, nor done and unmarked. */
async function actOnItem(
  database: Database,
  registry: Registry,
  batch: Batch,
  item: { position: number; event_id: unknown; attempt: number },
): Promise<void> {
  const act: Act = {
    actor: batch.executor ?? batch.actor,
    role: batch.executorRole ?? 'operator',
    reason: batch.reason,
    requestId: `batch-${batch.id}`,
  };
  await database.transaction(async (tx) => {
    const mine = await tx.query(
      sql`SELECT position FROM event_batch_item WHERE batch_id = ${batch.id} AND position = ${item.position} AND result IS NULL ${raw(tx.dialect.forUpdate)}`,
    );
    if (mine.length === 0) return;
    const eventId = String(item.event_id);
    const outcome = await (batch.verb === 'requeue'
      ? requeueIn(tx, eventId, act, item.attempt)
      : discardIn(tx, registry, eventId, act, item.attempt));
    const result = outcome.kind === 'done' ? 'done' : 'skipped';
    const why = whySkipped(outcome);
    await tx.execute(sql`
      UPDATE event_batch_item SET result = ${result}, why = ${why}, at = ${now} WHERE batch_id = ${batch.id} AND position = ${item.position} AND result IS NULL`);
    crashPoint('in-batch-item');
  });
}

function whySkipped(outcome: ActResult): string | null {
  switch (outcome.kind) {
    case 'done':
      return null;
    case 'conflict':
      return `it is ${outcome.status} now`;
    case 'not-found':
      return 'it is gone';
    case 'refused':
      return cutCharacters(outcome.why, WHY_MAX);
  }
}

/** Its event was discarded: nobody carries it out any more. */
export async function stopDiscarded(tx: Tx, id: string): Promise<void> {
  await endBatch(tx, id, 'stopped', 'its event was discarded');
}

async function endBatch(
  tx: Tx,
  id: string,
  status: 'done' | 'stopped',
  why: string | null,
): Promise<boolean> {
  const { affected } = await tx.execute(
    sql`UPDATE event_batch SET status = ${status}, why = ${why}, ended_at = ${now} WHERE id = ${id} AND status = 'running'`,
  );
  return affected === 1;
}

function auditBatch(tx: Tx, verb: string, batch: Batch, act: Act): Promise<void> {
  return audit(tx, act, {
    verb,
    targetType: 'batch',
    targetId: batch.id,
    subjectId: null,
    before: { status: verb === 'batch-stop' ? 'running' : batch.status },
    after: { verb: batch.verb, filter: batch.filter, total: batch.total, reason: batch.reason },
  });
}

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

async function mustRead(tx: Tx, id: string): Promise<Batch> {
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

/** What became of each, in order. */
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
