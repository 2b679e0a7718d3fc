import { crashPoint } from '../base/crash-point.js';
import { WrongState } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import type { Signature } from './audit.js';
import { auditEvent, type LockedEvent, lockEvent } from './lock-event.js';
import { outOfQueue, queuedForUpdate, toPendingFromErrored } from './statements.js';

/**
 * errored → pending with fresh failures, due now. The attempts stay, and so does a doubt about the outcome. Throws Problem `not-found` or
 * `event-not-errored`: a second click finds the event no longer errored.
 */
export async function requeue(database: Database, id: string, by: Signature): Promise<void> {
  await database.transaction((tx) => requeueIn(tx, id, by));
}

/** The same within the caller's transaction. `attempt`: only if no attempt has begun since the caller read the event. */
export async function requeueIn(tx: Tx, id: string, by: Signature, attempt?: number): Promise<void> {
  const event = await lockEvent(tx, id);
  if (event.status !== 'errored') throw new WrongState('event-not-errored', event.status);
  if (attempt !== undefined && event.attempt !== attempt)
    throw new WrongState('event-not-errored', 'errored anew');
  await backToPending(tx, event);
  await auditEvent(tx, by, event, { verb: 'requeue', status: 'pending' });
  crashPoint('in-requeue');
}

/** errored → pending, in its place within its ordering key. */
export async function backToPending(tx: Tx, event: LockedEvent): Promise<void> {
  const id = String(event.id);
  const isBlocked = event.ordering_key !== null && !(await goesAhead(tx, id, event.ordering_key));
  await tx.execute(toPendingFromErrored(tx.dialect, id, isBlocked));
  wakeAfterCommit(tx);
}

/** A requeued event goes before younger events of its key that only wait, and behind an event that runs or is older. */
async function goesAhead(tx: Tx, id: string, orderingKey: string): Promise<boolean> {
  const statement = queuedForUpdate(tx.dialect, orderingKey);
  const queued = await tx.query<{ id: number | string; lease_until: unknown }>(statement);
  if (queued.some((other) => other.lease_until !== null || BigInt(other.id) < BigInt(id))) return false;
  for (const other of queued) await tx.execute(outOfQueue(tx.dialect, String(other.id)));
  return true;
}
