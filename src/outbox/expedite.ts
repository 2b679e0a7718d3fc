import type { Tx } from '../database/database.js';
import { now, sql } from '../database/sql.js';
import { promoteNext } from './settle.js';
import { wakeAfterCommit } from './wake.js';

/** What waits at the head of this key becomes due now: the caller has changed what it waited for. A running attempt is left alone. */
export async function expedite(tx: Tx, orderingKey: string): Promise<void> {
  await tx.execute(sql`
    UPDATE outbox_event SET run_at = ${now}, queue_at = ${now}
    WHERE ordering_key = ${orderingKey} AND status = 'pending' AND lease_until IS NULL AND queue_at > ${now}`);
}

/** Brings one pending event forward to now. False when it is no longer waiting. */
export async function makeDue(tx: Tx, id: string): Promise<boolean> {
  const { affected } = await tx.execute(sql`
    UPDATE outbox_event SET run_at = ${now}, queue_at = ${now} WHERE id = ${id} AND status = 'pending' AND lease_until IS NULL AND queue_at IS NOT NULL`);
  if (affected === 1) wakeAfterCommit(tx);
  return affected === 1;
}

/**
 * The business transaction has made this event needless. Fenced by its status alone: a worker that runs it right now loses its
 * lease, so the caller must hold a row that the handler checks before it acts.
 */
export async function settleAsNeedless(tx: Tx, id: string, orderingKey: string | null): Promise<void> {
  await tx.execute(sql`
    UPDATE outbox_event SET status = 'handled', queue_at = NULL, lease_until = NULL, claimed_by = NULL, settled_at = ${now} WHERE id = ${id} AND status = 'pending'`);
  await promoteNext(tx, orderingKey);
}
