import { crashPoint } from '../base/crash-point.js';
import { WrongState } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import type { Signature } from './audit.js';
import { auditEvent, type LockedEvent, lockEvent } from './lock-event.js';

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
  const blocked = event.ordering_key !== null && !(await goesAhead(tx, id, event.ordering_key));
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET status = 'pending', failures = 0, interruptions = 0, snooze_since = NULL, lease_until = NULL, claimed_by = NULL, settled_at = NULL, run_at = ${now}, queue_at = ${blocked ? null : now}
    WHERE id = ${id} AND status = 'errored'`);
  wakeAfterCommit(tx);
}

/** A requeued event goes before younger events of its key that only wait, and behind an event that runs or is older. */
async function goesAhead(tx: Tx, id: string, orderingKey: string): Promise<boolean> {
  const queued = await tx.query<{ id: number | string; lease_until: unknown }>(sql`
    SELECT id, lease_until FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_queued_key'))} WHERE queued_key = ${orderingKey} ${raw(tx.dialect.forUpdate)}`);
  if (queued.some((other) => other.lease_until !== null || BigInt(other.id) < BigInt(id))) return false;
  for (const other of queued)
    await tx.execute(
      sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = NULL WHERE id = ${String(other.id)}`,
    );
  return true;
}
