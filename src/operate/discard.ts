import { crashPoint } from '../base/crash-point.js';
import type { Database, Queryable, Tx } from '../database/database.js';
import { fromSqlInstantOrNull, now, raw, sql } from '../database/sql.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import type { Registry } from '../outbox/registry.js';
import { promoteNext } from '../outbox/settle.js';
import type { OpenEvent } from '../outbox/types.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import type { Act } from './audit.js';
import { type ActResult, auditEvent, type Locked, lockEvent } from './requeue.js';

/** errored | pending (not running) → discarded, with what its type does then, or refused. The next of its key goes on. */
export async function discard(
  database: Database,
  registry: Registry,
  id: string,
  act: Act,
): Promise<ActResult> {
  return database.transaction((tx) => discardIn(tx, registry, id, act));
}

/** The same within the caller's transaction. `attempt`: only if nobody has run it since it was looked at. */
export async function discardIn(
  tx: Tx,
  registry: Registry,
  id: string,
  act: Act,
  attempt?: number,
): Promise<ActResult> {
  const event = await lockEvent(tx, id);
  if (!event) return { kind: 'not-found' };
  const { status } = event;
  const running = status === 'pending' && event.lease_until !== null;
  if (running || (status !== 'errored' && status !== 'pending'))
    return { kind: 'conflict', status: running ? 'running' : status };
  if (attempt !== undefined && event.attempt !== attempt)
    return { kind: 'conflict', status: `${status} anew` };
  const open = openEvent(registry, event, status);
  const why = await refusalOf(tx, registry, event.type, open);
  if (why !== null) return { kind: 'refused', status, why };
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET status = 'discarded', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = ${status}`);
  await promoteNext(tx, event.ordering_key);
  await auditEvent(tx, 'discard', event, act, 'discarded');
  await registry.find(event.type)?.onDiscarded?.(tx, open);
  crashPoint('in-discard');
  wakeAfterCommit(tx);
  return { kind: 'done' };
}

/** Why this event may not be discarded; null: it may, or its state alone forbids it. For whoever shows the button. */
export async function discardRefusal(
  queryable: Queryable,
  registry: Registry,
  event: OutboxEvent,
): Promise<string | null> {
  const { status } = event;
  if (status !== 'pending' && status !== 'errored') return null;
  return refusalOf(queryable, registry, event.type, {
    ...event,
    status,
    payload: registry.payloadOf(event) ?? null,
  });
}

async function refusalOf(
  queryable: Queryable,
  registry: Registry,
  type: string,
  event: OpenEvent,
): Promise<string | null> {
  const handler = registry.find(type);
  // What its end would mean is known to another version of this program alone.
  if (!handler) return `this process does not know the type ${type}: one that does must decide`;
  return handler.refuseDiscard(queryable, event);
}

function openEvent(registry: Registry, event: Locked, status: 'pending' | 'errored'): OpenEvent {
  return {
    id: String(event.id),
    status,
    payload: registry.payloadOf(event) ?? null,
    subjectId: event.subject_id,
    unknownAt: fromSqlInstantOrNull(event.unknown_at),
    outcome: event.outcome,
    lastErrorCode: event.last_error_code,
    requestId: event.request_id,
    traceparent: event.traceparent,
  };
}
