import type { Tx } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { after, join, now, raw, sql } from '../database/sql.js';
import {
  type EventDefinition,
  PayloadInvalid,
  PayloadTooLarge,
  RecordedOutsideTransaction,
} from './types.js';
import { WAKE_AHEAD_MS, wakeAfterCommit } from './wake.js';

export const PAYLOAD_MAX_BYTES = 16 * 1024;

export interface RecordOptions {
  /** Due in so many milliseconds; 0 is at once. */
  readonly runInMs?: number;
  readonly deadlineAt?: Date;
  /** What the event is about, for search. */
  readonly subjectId?: string;
  readonly subjectNo?: string;
  readonly requestId?: string | null;
  readonly traceparent?: string | null;
  /** The caller knows that no event with this ordering key is pending (it was never used, or `pendingOf` has said so): saves one look. */
  readonly firstOfItsKey?: boolean;
  /** False: the caller carries it out itself (inline); the schedulers need not be woken. */
  readonly wake?: boolean;
}

export interface Recorded {
  readonly id: string;
  /** False when an event with this dedupe key had been recorded before; `id` is then that event's. */
  readonly isNew: boolean;
}

/**
 * Records an event in the caller's transaction: it exists if, and only if, that transaction commits.
 * The payload is checked by the type's schema; one that does not fit, or is larger than 16 KiB, is refused, never cut.
 * Throws RecordedOutsideTransaction, PayloadInvalid, PayloadTooLarge.
 */
export async function record<P>(
  tx: Tx,
  definition: EventDefinition<P>,
  payload: P,
  options: RecordOptions = {},
): Promise<Recorded> {
  if (tx.isOpen !== true) throw new RecordedOutsideTransaction();
  const checked = definition.schema.safeParse(payload);
  if (!checked.success)
    throw new PayloadInvalid(
      `${definition.type}: the payload does not fit the schema at ${checked.error.issues.map((issue) => issue.path.join('.')).join(', ')}`,
    );
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > PAYLOAD_MAX_BYTES)
    throw new PayloadTooLarge(
      `${definition.type}: the payload has ${Buffer.byteLength(text)} bytes, more than ${PAYLOAD_MAX_BYTES}`,
    );

  const orderingKey = definition.orderingKey(payload);
  const blocked =
    orderingKey !== null && options.firstOfItsKey !== true && (await pendingOf(tx, [orderingKey])).size > 0;
  const runAt = after(options.runInMs ?? 0);
  const dedupeKey = dedupeKeyOf(definition, payload);
  try {
    const { insertId } = await tx.execute(sql`
      INSERT INTO outbox_event (type, status, subject_id, subject_no, payload, payload_version, dedupe_key, ordering_key, run_at, queue_at, deadline_at, request_id, traceparent, created_at)
      VALUES (${definition.type}, 'pending', ${options.subjectId ?? null}, ${options.subjectNo ?? null}, ${text}, ${definition.version}, ${dedupeKey}, ${orderingKey},
        ${runAt}, ${blocked ? null : runAt}, ${options.deadlineAt ?? null}, ${options.requestId ?? null}, ${options.traceparent ?? null}, ${now})`);
    if (options.wake !== false && (options.runInMs ?? 0) <= WAKE_AHEAD_MS) wakeAfterCommit(tx);
    return { id: insertId, isNew: true };
  } catch (error) {
    if (!duplicateOf(error)?.includes('dedupe_key')) throw error;
    const [existing] = await tx.query<{ id: unknown }>(
      sql`SELECT id FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_dedupe_key'))} WHERE dedupe_key = ${dedupeKey}`,
    );
    return { id: String(existing?.id), isNew: false };
  }
}

/** What tells this event from every other one, for ever: the column's value. */
export function dedupeKeyOf<P>(definition: EventDefinition<P>, payload: P): string {
  return `${definition.type}:${definition.dedupeKey(payload)}`;
}

/**
 * In which of these keys is somebody ahead of us? The pending events of the keys are locked, so that none can settle between this look and our
 * commit: whoever settles it later sees our row and lets it go on. Without the lock our event could wait for ever.
 */
export async function pendingOf(tx: Tx, orderingKeys: readonly string[]): Promise<Set<string>> {
  const newest = orderingKeys.length === 1 ? raw('ORDER BY id DESC LIMIT 1') : sql``; // of one key the newest is enough: it settles last
  const rows = await tx.query<{ pending_key: string }>(sql`
    SELECT pending_key FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_pending_key'))} WHERE pending_key IN (${join(orderingKeys)}) ${newest} ${raw(tx.dialect.forUpdate)}`);
  return new Set(rows.map(({ pending_key }) => pending_key));
}
