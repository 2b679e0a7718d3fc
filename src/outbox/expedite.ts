import type { Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import { dedupeKeyOf } from './record.js';
import { promoteNext } from './settle.js';
import type { EventDefinition } from './types.js';
import { wakeAfterCommit } from './wake.js';

/** What waits at the head of this key becomes due now: the caller has changed what it waited for. A running attempt is left alone. */
export async function expedite(tx: Tx, orderingKey: string): Promise<void> {
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.useIndex('outbox_event_queued_key'))} SET run_at = ${now}, queue_at = ${now}
    WHERE queued_key = ${orderingKey} AND lease_until IS NULL AND queue_at > ${now}`);
}

/** Brings the event that was recorded for this forward to now. False when it is no longer waiting. */
export async function makeDue<P>(tx: Tx, definition: EventDefinition<P>, payload: P): Promise<boolean> {
  const { affected } = await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.useIndex('outbox_event_dedupe_key'))} SET run_at = ${now}, queue_at = ${now}
    WHERE dedupe_key = ${dedupeKeyOf(definition, payload)} AND status = 'pending' AND lease_until IS NULL AND queue_at IS NOT NULL`);
  if (affected === 1) wakeAfterCommit(tx);
  return affected === 1;
}

/**
 * The business transaction has made the event that was recorded for this needless. Fenced by its status alone: a worker that runs it right
 * now loses its lease, so the caller must hold a row that the handler checks before it acts. `lastOfItsKey`: the caller knows that nothing can
 * wait behind it; saves one look.
 */
export async function settleWithoutRunning<P>(
  tx: Tx,
  definition: EventDefinition<P>,
  payload: P,
  { lastOfItsKey = false } = {},
): Promise<void> {
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.useIndex('outbox_event_dedupe_key'))} SET status = 'handled', queue_at = NULL, lease_until = NULL, claimed_by = NULL, settled_at = ${now}
    WHERE dedupe_key = ${dedupeKeyOf(definition, payload)} AND status = 'pending'`);
  if (!lastOfItsKey) await promoteNext(tx, definition.orderingKey(payload));
}
