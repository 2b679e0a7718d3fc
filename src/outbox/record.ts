import type { Tx } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import * as statements from './statements.js';
import {
  type EventDefinition,
  PayloadInvalid,
  PayloadTooLarge,
  RecordedOutsideTransaction,
} from './types.js';
import { WAKE_AHEAD_MS, wakeAfterCommit } from './wake.js';

const PAYLOAD_MAX_BYTES = 16 * 1024;

export interface RecordOptions {
  /** Due in so many milliseconds; 0 is at once. */
  readonly runInMs?: number;
  readonly deadlineAt?: Date;
  /** What the event is about, for search. */
  readonly subjectId?: string;
  readonly subjectNo?: string;
  readonly requestId?: string | null;
  readonly traceparent?: string | null;
  /** The caller knows that no event with this ordering key is pending: saves a look. */
  readonly firstOfItsKey?: boolean;
  /** False: the caller carries it out itself (inline); the schedulers need not be woken. */
  readonly wake?: boolean;
}

interface Recorded {
  readonly id: string;
  /** False when an event with this dedupe key had been recorded before; `id` is then that event's. */
  readonly isNew: boolean;
}

/**
 * Records an event in the caller's transaction: it exists if, and only if, that transaction commits. The
 * payload is checked by the type's schema; if it does not fit, or is larger than 16 KiB, it is refused, never
 * cut. Throws RecordedOutsideTransaction, PayloadInvalid, PayloadTooLarge.
 */
export async function record<P>(
  tx: Tx,
  definition: EventDefinition<P>,
  payload: P,
  options: RecordOptions = {},
): Promise<Recorded> {
  if (tx.isOpen !== true) throw new RecordedOutsideTransaction();
  const event = eventOf(definition, payload, options);
  const { dedupeKey, orderingKey, runInMs } = event;
  const isBlocked =
    orderingKey !== null && options.firstOfItsKey !== true && (await pendingOf(tx, [orderingKey])).size > 0;
  try {
    const { insertId } = await tx.execute(statements.insertEvent({ ...event, isBlocked }));
    if (options.wake !== false && runInMs <= WAKE_AHEAD_MS) wakeAfterCommit(tx);
    return { id: insertId, isNew: true };
  } catch (error) {
    if (!duplicateOf(error)?.includes('dedupe_key')) throw error;
    const [existing] = await tx.query<{ id: unknown }>(statements.selectRecorded(dedupeKey));
    return { id: String(existing?.id), isNew: false };
  }
}

function eventOf<P>(
  definition: EventDefinition<P>,
  payload: P,
  options: RecordOptions,
): Omit<statements.NewEvent, 'isBlocked'> {
  return {
    type: definition.type,
    payload: textOf(definition, payload),
    payloadVersion: definition.version,
    dedupeKey: dedupeKeyOf(definition, payload),
    orderingKey: definition.orderingKey(payload),
    subjectId: options.subjectId ?? null,
    subjectNo: options.subjectNo ?? null,
    runInMs: options.runInMs ?? 0,
    deadlineAt: options.deadlineAt ?? null,
    requestId: options.requestId ?? null,
    traceparent: options.traceparent ?? null,
  };
}

function textOf<P>({ type, schema }: EventDefinition<P>, payload: P): string {
  const checked = schema.safeParse(payload);
  if (!checked.success) {
    const paths = checked.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new PayloadInvalid(`${type}: the payload does not fit the schema at ${paths}`);
  }
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes > PAYLOAD_MAX_BYTES)
    throw new PayloadTooLarge(`${type}: the payload has ${bytes} bytes, more than ${PAYLOAD_MAX_BYTES}`);
  return text;
}

/** Tells this event from every other, for ever: the column's value. */
export function dedupeKeyOf<P>(definition: EventDefinition<P>, payload: P): string {
  return `${definition.type}:${definition.dedupeKey(payload)}`;
}

/**
 * Which of these keys have pending events? Those events are locked, so that none can settle between this look
 * and our commit: the transaction that settles them later sees our row and lets it go on. Without the lock
 * our event could wait for ever.
 */
export async function pendingOf(tx: Tx, orderingKeys: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ pendingKey: string }>(statements.lockPending(orderingKeys));
  return new Set(rows.map(({ pendingKey }) => pendingKey));
}
