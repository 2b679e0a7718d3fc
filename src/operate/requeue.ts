import { crashPoint } from '../base/crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import type { VendorOutcome } from '../entities/outbox-event.js';
import type { Registry } from '../outbox/registry.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import { type Act, audit } from './audit.js';

export type ActResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'conflict'; readonly status: string }
  /** Its type does not allow it as things stand. */
  | { readonly kind: 'refused'; readonly status: string; readonly why: string };

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
    if (event.unknown_at === null && event.outcome !== 'unknown')
      return { kind: 'conflict', status: `errored, outcome ${event.outcome ?? 'none'}` };
    await tx.execute(
      sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET unknown_at = NULL, outcome = 'not-applied' WHERE id = ${id} AND status = 'errored'`,
    );
    await backToPending(tx, event);
    await auditEvent(tx, 'settle-not-done', event, act, 'pending');
    crashPoint('in-settle-by-hand');
    return { kind: 'done' };
  });
}

/** A person knows, and has proof, that the vendor did it: errored → handled, with the handler's own local effects for that. */
export async function settleAsDone(
  database: Database,
  registry: Registry,
  id: string,
  act: Act,
): Promise<ActResult> {
  return database.transaction(async (tx) => {
    const event = await lockEvent(tx, id);
    if (!event) return { kind: 'not-found' };
    if (event.status !== 'errored') return { kind: 'conflict', status: event.status };
    await tx.execute(sql`
      UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET status = 'handled', outcome = 'applied', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = 'errored'`);
    await auditEvent(tx, 'settle-done', event, act, 'handled');
    crashPoint('in-settle-by-hand');
    const handler = registry.find(event.type);
    const payload = registry.payloadOf(event);
    if (handler?.onStatedDone && payload !== undefined) await handler.onStatedDone(tx, payload);
    return { kind: 'done' };
  });
}

async function backToPending(tx: Tx, event: Locked): Promise<void> {
  const id = String(event.id);
  const blocked = event.ordering_key !== null && !(await goesAhead(tx, id, event.ordering_key));
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET status = 'pending', failures = 0, interruptions = 0, snooze_since = NULL, lease_until = NULL, claimed_by = NULL, settled_at = NULL, run_at = ${now}, queue_at = ${blocked ? null : now}
    WHERE id = ${id} AND status = 'errored'`);
  wakeAfterCommit(tx);
}

/** What was requeued goes before younger events of its key that merely wait, and behind one that runs or is older. */
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

/** A row as whoever acts on it by hand holds it. */
export interface Locked {
  readonly id: number | string;
  readonly type: string;
  readonly payload: string;
  readonly status: string;
  readonly outcome: VendorOutcome | null;
  readonly unknown_at: unknown;
  readonly last_error_code: string | null;
  readonly ordering_key: string | null;
  readonly lease_until: unknown;
  readonly subject_id: string | null;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly failures: number;
  readonly attempt: number;
}

export async function lockEvent(tx: Tx, id: string): Promise<Locked | undefined> {
  const [event] = await tx.query<Locked>(sql`
    SELECT id, status, ordering_key, lease_until, subject_id, failures, attempt, type, payload, outcome, unknown_at, last_error_code, request_id, traceparent
    FROM outbox_event ${raw(tx.dialect.byPrimaryKey)} WHERE id = ${id} ${raw(tx.dialect.forUpdate)}`);
  return event;
}

export function auditEvent(tx: Tx, verb: string, event: Locked, act: Act, status: string): Promise<void> {
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
