import { crashPoint } from '../base/crash-point.js';
import { Problem, WrongState } from '../base/problems.js';
import type { Database, Queryable, Tx } from '../database/database.js';
import { fromSqlInstantOrNull } from '../database/sql.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import { promoteNext } from '../outbox/promote.js';
import type { Registry } from '../outbox/registry.js';
import type { OpenEvent } from '../outbox/types.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import type { Signature } from './audit.js';
import { auditEvent, type LockedEvent, lockEvent } from './lock-event.js';
import { toDiscarded } from './statements.js';

/**
 * errored | pending (not running) → discarded, with what its type does then. The next event of its key goes on. Throws Problem `not-found`
 * or `event-not-discardable`, the latter with its type's reason where it is the type that refuses.
 */
export async function discard(
  database: Database,
  registry: Registry,
  id: string,
  by: Signature,
): Promise<void> {
  await database.transaction((tx) => discardIn(tx, registry, id, by));
}

/** The same within the caller's transaction. `attempt`: only if no attempt has begun since the caller read the event. */
export async function discardIn(
  tx: Tx,
  registry: Registry,
  id: string,
  by: Signature,
  attempt?: number,
): Promise<void> {
  const event = await lockEvent(tx, id);
  const { status } = event;
  if (status === 'pending' && event.lease_until !== null)
    throw new WrongState('event-not-discardable', 'running');
  if (status !== 'errored' && status !== 'pending') throw new WrongState('event-not-discardable', status);
  if (attempt !== undefined && event.attempt !== attempt)
    throw new WrongState('event-not-discardable', `${status} anew`);
  const open = openEvent(registry, event, status);
  const refusal = await refusalOf(tx, registry, event.type, open);
  if (refusal !== null)
    throw new Problem('event-not-discardable', { detail: refusal, more: { currentStatus: status } });
  await tx.execute(toDiscarded(tx.dialect, id, status));
  await promoteNext(tx, event.ordering_key);
  await auditEvent(tx, by, event, { verb: 'discard', status: 'discarded' });
  await registry.find(event.type)?.onDiscarded?.(tx, open);
  crashPoint('in-discard');
  wakeAfterCommit(tx);
}

/** Why this event's type refuses its discard now, for the page that shows the button. Null: the type allows it, or the state alone forbids it. */
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
  // Only a version of this program that knows the type can say what its end would mean.
  if (!handler) return `this process does not know the type ${type}: one that does must decide`;
  return handler.refuseDiscard(queryable, event);
}

function openEvent(registry: Registry, event: LockedEvent, status: 'pending' | 'errored'): OpenEvent {
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
