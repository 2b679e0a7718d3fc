import type { Tx } from '../database/database.js';
import { promoteNext } from './promote.js';
import { dedupeKeyOf } from './record.js';
import * as statements from './statements.js';
import type { EventDefinition } from './types.js';
import { wakeAfterCommit } from './wake.js';

/** The first event of this key becomes due now, unless it runs: the caller has changed what it waited for. */
export async function expedite(tx: Tx, orderingKey: string): Promise<void> {
  await tx.execute(statements.makeKeyDue(orderingKey));
}

/** Brings the event that was recorded for this payload forward to now. False when it is no longer waiting. */
export async function makeDue<P>(tx: Tx, definition: EventDefinition<P>, payload: P): Promise<boolean> {
  const { affected } = await tx.execute(statements.makeRecordedDue(dedupeKeyOf(definition, payload)));
  if (affected === 1) wakeAfterCommit(tx);
  return affected === 1;
}

/**
 * The business transaction has made the event that was recorded for this payload needless. Fenced by its
 * status alone: a worker that runs it right now loses its lease, so the caller must hold a row that the
 * handler checks before it acts. `lastOfItsKey`: the caller knows that nothing can wait behind it; saves a
 * look.
 */
export async function settleWithoutRunning<P>(
  tx: Tx,
  definition: EventDefinition<P>,
  payload: P,
  { lastOfItsKey = false } = {},
): Promise<void> {
  await tx.execute(statements.handleRecorded(dedupeKeyOf(definition, payload)));
  if (!lastOfItsKey) await promoteNext(tx, definition.orderingKey(payload));
}
