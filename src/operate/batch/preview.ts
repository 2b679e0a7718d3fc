import { randomBytes } from 'node:crypto';
import type { Database, Tx } from '../../database/database.js';
import { fromSqlInstant, join, now, raw, sql } from '../../database/sql.js';
import type { Signature } from '../audit.js';
import { countEvents } from '../list.js';
import { type Batch, type BatchFilter, type BatchVerb, mustReadBatch } from './batch.js';

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
    const found = await erroredOf(tx, request.filter);
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

/** One more than a batch may hold: the extra event tells that the set is cut. */
function erroredOf(tx: Tx, { type, cause }: BatchFilter): Promise<Errored[]> {
  return tx.query<Errored>(sql`
    SELECT id, attempt, type, cause, settled_at FROM outbox_event WHERE status = 'errored' ${type ? sql`AND type = ${type}` : sql``} ${cause ? sql`AND cause = ${cause} AND cause_status = 'errored'` : sql``}
    ORDER BY id LIMIT ${raw(String(BATCH_MAX + 1))}`);
}

async function freeze(
  tx: Tx,
  batch: PreviewRequest & { token: string; set: readonly Errored[]; by: Signature },
): Promise<string> {
  const { verb, filter, perSecond, token, set, by } = batch;
  const { insertId } = await tx.execute(sql`
    INSERT INTO event_batch (token, verb, filter, status, total, per_second, reason, actor, role, request_id, created_at)
    VALUES (${token}, ${verb}, ${JSON.stringify(filter)}, 'previewed', ${set.length}, ${perSecond}, ${by.reason}, ${by.actor}, ${by.role}, ${by.requestId}, ${now})`);
  for (let from = 0; from < set.length; from += ROWS_PER_INSERT) {
    const rows = set
      .slice(from, from + ROWS_PER_INSERT)
      .map((row, i) => sql`(${insertId}, ${from + i + 1}, ${String(row.id)}, ${row.attempt})`);
    await tx.execute(
      sql`INSERT INTO event_batch_item (batch_id, position, event_id, attempt) VALUES ${join(rows)}`,
    );
  }
  return insertId;
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
