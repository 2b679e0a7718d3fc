import { crashPoint } from '../crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import { type Act, audit } from './audit.js';
import type { Registry } from './registry.js';
import { promoteNext } from './settle.js';
import { wakeAfterCommit } from './wake.js';

export type ActResult = { readonly kind: 'done' } | { readonly kind: 'not-found' } | { readonly kind: 'conflict'; readonly status: string };

/** errored → pending with fresh failures, due now. Attempts and what is unknown stay; a second click finds it no longer errored. */
export async function requeue(database: Database, id: string, act: Act): Promise<ActResult> {
  return database.transaction((tx) => requeueIn(tx, id, act));
}

/** The same within the caller's transaction. `attempt`: only if nobody has run it since it was looked at. */
export async function requeueIn(tx: Tx, id: string, act: Act, attempt?: number): Promise<ActResult> {
  const event = await lockEvent(tx, id);
  if (!event) return { kind: 'not-found' };
  if (event.status !== 'errored') return { kind: 'conflict', status: event.status };
  if (attempt !== undefined && event.attempt !== attempt) return { kind: 'conflict', status: 'errored anew' };
  await backToPending(tx, event);
  await auditEvent(tx, 'requeue', event, act, 'pending');
  crashPoint('in-requeue');
  return { kind: 'done' };
}

/**
 * A person knows what nobody answered: the vendor did not do it. The doubt is lifted, and the event is carried out again without asking first.
 * Only for an errored event whose outcome is unknown.
 */
export async function settleAsNotDone(database: Database, id: string, act: Act): Promise<ActResult> {
  return database.transaction(async (tx) => {
    const event = await lockEvent(tx, id);
    if (!event) return { kind: 'not-found' };
    if (event.status !== 'errored') return { kind: 'conflict', status: event.status };
    if (event.unknown_at === null && event.outcome !== 'unknown') return { kind: 'conflict', status: `errored, outcome ${event.outcome ?? 'none'}` };
    await tx.execute(sql`UPDATE outbox_event SET unknown_at = NULL, outcome = 'not-applied' WHERE id = ${id} AND status = 'errored'`);
    await backToPending(tx, event);
    await auditEvent(tx, 'settle-not-done', event, act, 'pending');
    crashPoint('in-settle-by-hand');
    return { kind: 'done' };
  });
}

/** A person knows, and has proof, that the vendor did it: errored → handled, with the handler's own local effects for that. */
export async function settleAsDone(database: Database, registry: Registry, id: string, act: Act): Promise<ActResult> {
  return database.transaction(async (tx) => {
    const event = await lockEvent(tx, id);
    if (!event) return { kind: 'not-found' };
    if (event.status !== 'errored') return { kind: 'conflict', status: event.status };
    await tx.execute(sql`
      UPDATE outbox_event SET status = 'handled', outcome = 'applied', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = 'errored'`);
    await auditEvent(tx, 'settle-done', event, act, 'handled');
    crashPoint('in-settle-by-hand');
    const handler = registry.find(event.type);
    const payload = registry.payloadOf(event);
    if (handler?.onStatedDone && payload !== undefined) await handler.onStatedDone(tx, payload);
    return { kind: 'done' };
  });
}

/** errored | pending (not running) → discarded: it will not be carried out. The next of its key goes on. */
export async function discard(database: Database, id: string, act: Act): Promise<ActResult> {
  return database.transaction((tx) => discardIn(tx, id, act));
}

/** The same within the caller's transaction. `attempt`: only if nobody has run it since it was looked at. */
export async function discardIn(tx: Tx, id: string, act: Act, attempt?: number): Promise<ActResult> {
  const event = await lockEvent(tx, id);
  if (!event) return { kind: 'not-found' };
  const running = event.status === 'pending' && event.lease_until !== null;
  if (running || (event.status !== 'errored' && event.status !== 'pending')) return { kind: 'conflict', status: running ? 'running' : event.status };
  if (attempt !== undefined && event.attempt !== attempt) return { kind: 'conflict', status: `${event.status} anew` };
  await tx.execute(sql`UPDATE outbox_event SET status = 'discarded', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = ${event.status}`);
  await promoteNext(tx, event.ordering_key);
  await auditEvent(tx, 'discard', event, act, 'discarded');
  crashPoint('in-discard');
  wakeAfterCommit(tx);
  return { kind: 'done' };
}

async function backToPending(tx: Tx, event: Locked): Promise<void> {
  const id = String(event.id);
  const blocked = event.ordering_key !== null && !(await goesAhead(tx, id, event.ordering_key));
  await tx.execute(sql`
    UPDATE outbox_event SET status = 'pending', failures = 0, interruptions = 0, snooze_since = NULL, lease_until = NULL, claimed_by = NULL, settled_at = NULL, run_at = ${now}, queue_at = ${blocked ? null : now}
    WHERE id = ${id} AND status = 'errored'`);
  wakeAfterCommit(tx);
}

/** What was requeued goes before younger events of its key that merely wait, and behind one that runs or is older. */
async function goesAhead(tx: Tx, id: string, orderingKey: string): Promise<boolean> {
  const queued = await tx.query<{ id: number | string; lease_until: unknown }>(sql`
    SELECT id, lease_until FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_queued_key'))} WHERE queued_key = ${orderingKey} ${raw(tx.dialect.forUpdate)}`);
  if (queued.some((other) => other.lease_until !== null || BigInt(other.id) < BigInt(id))) return false;
  for (const other of queued) await tx.execute(sql`UPDATE outbox_event SET queue_at = NULL WHERE id = ${String(other.id)}`);
  return true;
}

interface Locked {
  id: number | string;
  type: string;
  payload: string;
  status: string;
  outcome: string | null;
  unknown_at: unknown;
  ordering_key: string | null;
  lease_until: unknown;
  subject_id: string | null;
  failures: number;
  attempt: number;
}

async function lockEvent(tx: Tx, id: string): Promise<Locked | undefined> {
  const [event] = await tx.query<Locked>(
    sql`SELECT id, status, ordering_key, lease_until, subject_id, failures, attempt, type, payload, outcome, unknown_at FROM outbox_event WHERE id = ${id} ${raw(tx.dialect.forUpdate)}`,
  );
  return event;
}

function auditEvent(tx: Tx, verb: string, event: Locked, act: Act, status: string): Promise<void> {
  const { attempt } = event;
  return audit(tx, act, {
    verb,
    targetType: 'event',
    targetId: String(event.id),
    subjectId: event.subject_id,
    before: { status: event.status, attempt },
    after: { status, attempt },
  });
}
