import { crashPoint } from '../base/crash-point.js';
import { WrongState } from '../base/problems.js';
import type { Database } from '../database/database.js';
import type { Registry } from '../outbox/registry.js';
import type { Signature } from './audit.js';
import { auditEvent, lockEvent } from './lock-event.js';
import { backToPending } from './requeue.js';
import { doubtLifted, toHandledFromErrored } from './statements.js';

/**
 * A person has proof that the vendor did it: errored → handled, with the local effects that its handler has for this case. Throws Problem
 * `not-found` or `event-not-settleable`.
 */
export async function settleAsDone(
  database: Database,
  registry: Registry,
  id: string,
  by: Signature,
): Promise<void> {
  await database.transaction(async (tx) => {
    const event = await lockEvent(tx, id);
    if (event.status !== 'errored') throw new WrongState('event-not-settleable', event.status);
    await tx.execute(toHandledFromErrored(tx.dialect, id));
    await auditEvent(tx, by, event, { verb: 'settle-done', status: 'handled' });
    crashPoint('in-settle-by-hand');
    const handler = registry.find(event.type);
    const payload = registry.payloadOf(event);
    if (handler?.onStatedDone && payload !== undefined) await handler.onStatedDone(tx, payload);
  });
}

/**
 * A person knows that the vendor did not do it. The doubt is lifted, and the event is carried out again without asking first. Only for an
 * errored event whose outcome is unknown. Throws Problem `not-found` or `event-not-settleable`.
 */
export async function settleAsNotDone(database: Database, id: string, by: Signature): Promise<void> {
  await database.transaction(async (tx) => {
    const event = await lockEvent(tx, id);
    if (event.status !== 'errored') throw new WrongState('event-not-settleable', event.status);
    if (event.unknown_at === null && event.outcome !== 'unknown')
      throw new WrongState('event-not-settleable', `errored, outcome ${event.outcome ?? 'none'}`);
    await tx.execute(doubtLifted(tx.dialect, id));
    await backToPending(tx, event);
    await auditEvent(tx, by, event, { verb: 'settle-not-done', status: 'pending' });
    crashPoint('in-settle-by-hand');
  });
}
