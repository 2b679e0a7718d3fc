import { randomBytes } from 'node:crypto';
import type { Database, Tx } from '../../database/database.js';
import { instant } from '../../database/instants.js';
import { insertRow } from '../../database/rows.js';
import { fromSqlInstant } from '../../database/sql.js';
import { EventBatch } from '../../entities/event-batch.js';
import type { Signature } from '../audit.js';
import { countEvents } from '../list.js';
import { type Batch, type BatchFilter, type BatchVerb, mustReadBatch } from './batch.js';
import { erroredOf, insertItems } from './statements.js';

/** A frozen set has at most so many events; the others need another batch. */
const BATCH_MAX = 10_000;
/** Events a second. */
export const RATE_MAX = 50;
const ROWS_PER_INSERT = 500;
const SAMPLES = 5;

export interface PreviewRequest {
  readonly verb: BatchVerb;
  readonly filter: BatchFilter;
  readonly perSecond: number;
}

export interface Preview {
  readonly batch: Batch;
  readonly token: string;
  readonly groups: readonly Group[];
  readonly oldestAt: Date | null;
  readonly newestAt: Date | null;
  /** Ids of events of the set. */
  readonly samples: readonly string[];
  readonly expectedS: number;
  /** The filter names more events than a batch may hold. */
  readonly cut: boolean;
  /** Events of the filter that are pending, perhaps running, and therefore not in the set; counted up to 10,001. */
  readonly excludedPending: number;
}

interface Group {
  readonly type: string;
  readonly cause: string | null;
  readonly count: number;
}

interface Errored {
  readonly id: number | string;
  readonly attempt: number;
  readonly type: string;
  readonly cause: string | null;
  readonly settled_at: unknown;
}

/** Freezes every errored event that the filter names. Changes none of them. */
export async function previewBatch(
  database: Database,
  request: PreviewRequest,
  by: Signature & { reason: string },
): Promise<Preview> {
  const token = randomBytes(16).toString('hex');
  return database.transaction(async (tx) => {
    // One more than a batch may hold: the extra event tells that the set is cut.
    const found = await tx.query<Errored>(erroredOf(request.filter, BATCH_MAX + 1));
    const set = found.slice(0, BATCH_MAX);
    const id = await freeze(tx, { ...request, token, set, by });
    return {
      batch: await mustReadBatch(tx, id),
      token,
      groups: groupsOf(set),
      ...spanOf(set),
      samples: samplesOf(set),
      expectedS: Math.ceil(set.length / request.perSecond),
      cut: found.length > BATCH_MAX,
      excludedPending: await countEvents(tx, {
        state: 'pending',
        types: request.filter.type === undefined ? undefined : [request.filter.type],
        cause: request.filter.cause,
      }),
    };
  });
}

async function freeze(
  tx: Tx,
  batch: PreviewRequest & { token: string; set: readonly Errored[]; by: Signature & { reason: string } },
): Promise<string> {
  const { verb, filter, perSecond, token, set, by } = batch;
  const { actor, role, reason, requestId } = by;
  const id = await insertRow(tx, EventBatch, {
    token,
    verb,
    filter: JSON.stringify(filter),
    status: 'previewed',
    total: set.length,
    perSecond,
    reason,
    actor,
    role,
    requestId,
    createdAt: instant(tx),
  });
  const items = set.map((row, i) => ({ position: i + 1, eventId: String(row.id), attempt: row.attempt }));
  for (let from = 0; from < items.length; from += ROWS_PER_INSERT)
    await tx.execute(insertItems(id, items.slice(from, from + ROWS_PER_INSERT)));
  return id;
}

/** The largest group first. */
function groupsOf(set: readonly Errored[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { type, cause } of set) {
    const key = `${type} ${cause}`;
    groups.set(key, { type, cause, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function spanOf(set: readonly Errored[]): { oldestAt: Date | null; newestAt: Date | null } {
  const times = set.map((row) => fromSqlInstant(row.settled_at).getTime());
  if (times.length === 0) return { oldestAt: null, newestAt: null };
  return {
    oldestAt: new Date(times.reduce((a, b) => Math.min(a, b))),
    newestAt: new Date(times.reduce((a, b) => Math.max(a, b))),
  };
}

function samplesOf(set: readonly Errored[]): string[] {
  const step = Math.max(1, Math.floor(set.length / SAMPLES));
  return set
    .filter((_row, i) => i % step === 0)
    .slice(0, SAMPLES)
    .map((row) => String(row.id));
}
