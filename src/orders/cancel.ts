import { releaseStock } from '../books/release-stock.js';
import { writeStep } from '../books/step.js';
import { endOrder } from '../books/transition.js';
import { crashPoint } from '../crash-point.js';
import type { Database } from '../database/database.js';
import { fromSqlInstant, now, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { energyKey, meicanKey } from '../handlers/payloads.js';
import { type Act, audit } from '../outbox/audit.js';
import { expedite } from '../outbox/expedite.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import { Problem } from '../problems.js';
import { type Caller, may, mayReach } from './caller.js';
import { type Answer, type Attempted, begin, complete, hold, keepRefusal, type Ticket } from './idempotency.js';
import { type Grant, type Locks, orderKey, userKey } from './lock.js';
import { eventView, orderView } from './view.js';

export interface CancelDependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly locks: Locks;
  /** How long the request waits for its own events. Milliseconds. */
  readonly inlineBudgetMs: number;
}

export interface CancelRequest {
  readonly attempted: Attempted;
  readonly caller: Caller;
  readonly orderId: string;
  readonly reason: string | null;
  readonly traceparent: string | null;
}

/** Cancels a live order: our own books at once; refund and vendor as events, carried out here within the budget. Throws Problem. */
export async function cancel(dependencies: CancelDependencies, request: CancelRequest): Promise<Answer> {
  const { database, outbox, locks, inlineBudgetMs } = dependencies;
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const order = await reachable(database, request);
    const cancelled = await locks.withLock([userKey(order.userId), orderKey(order.id)], (lock) => cancelLocally(database, request, ticket, lock));
    crashPoint('cancel-after-t1');
    if (cancelled) await outbox.runInline([energyKey(order.orderNo), meicanKey(order.orderNo)], inlineBudgetMs);
    crashPoint('cancel-before-answer');
    const body = await view(dependencies, order.id);
    const settled = body.events.every((event) => event.status === 'handled' || event.status === 'discarded');
    const status = cancelled && !settled ? 202 : 200;
    if (cancelled || ticket.taken) await complete(database, ticket, status, body);
    return { status, body, replayed: false };
  } catch (error) {
    if (error instanceof Problem) await keepRefusal(database, ticket, error).catch(() => {}); // the refusal itself matters more
    throw error;
  }
}

async function reachable(database: Database, { caller, orderId }: CancelRequest): Promise<BoxOrder> {
  const order = await database.manager.findOneBy(BoxOrder, { id: orderId });
  if (!order || !mayReach(caller, order.userId)) throw new Problem('not-found', { detail: 'there is no such order' });
  return order;
}

/** T1. False: it had been cancelled before. The conditional UPDATE, not the lock, decides which of two cancels wins. */
async function cancelLocally(database: Database, request: CancelRequest, ticket: Ticket, lock: Grant): Promise<boolean> {
  const order = await reachable(database, request);
  if (order.status === 'USER_CANCEL') return false;
  if (order.status === 'PAYING') throw new Problem('order-busy', { detail: 'the order is being paid', retryAfterS: 1 });
  if (order.status !== 'ORDERING' && order.status !== 'ORDERED') throw new Problem('order-not-cancellable', { more: { currentStatus: order.status } });
  class SomebodyWasFaster extends Error {}
  const work = database.transaction(async (tx) => {
    await hold(tx, ticket, [order.orderNo]);
    const [clock] = await tx.query<{ now: unknown }>(sql`SELECT ${now} AS now`);
    if (fromSqlInstant(clock?.now) >= order.cutoffAt) throw new Problem('cutoff-passed');
    if (
      !(await endOrder(tx, order.id, {
        to: 'USER_CANCEL',
        from: ['ORDERING', 'ORDERED'],
        refund: 'PENDING',
        operator: request.caller.sub,
        reason: request.reason,
      }))
    )
      throw new SomebodyWasFaster();
    await writeStep(tx, order.id, 'cancelled', {
      operator: request.caller.sub,
      role: request.caller.role,
      from: order.status,
      reason: request.reason,
      idempotencyKey: request.attempted.key,
      requestId: request.attempted.requestId,
      lock,
      released: { dishId: order.dishId, sideboardId: order.sideboardId },
    });
    const about = { subjectId: order.id, subjectNo: order.orderNo, requestId: request.attempted.requestId, traceparent: request.traceparent, wake: false };
    await record(
      tx,
      energyCancel,
      { orderId: order.id, orderNo: order.orderNo, userId: order.userId, amountInCent: order.priceInCent, reason: 'USER_CANCEL' },
      about,
    );
    await expedite(tx, meicanKey(order.orderNo)); // a placement that waits has nothing more to wait for
    await record(tx, meicanCancel, { orderId: order.id, orderNo: order.orderNo }, { ...about, deadlineAt: order.cutoffAt });
    if (may(request.caller.role, 'act'))
      await audit(tx, actOf(request), {
        verb: 'cancel',
        targetType: 'order',
        targetId: order.id,
        subjectId: order.id,
        before: { status: order.status },
        after: { status: 'USER_CANCEL' },
      });
    crashPoint('cancel-in-t1');
    await releaseStock(tx, [order]);
    return true;
  });
  return work.catch((error: unknown) => {
    if (error instanceof SomebodyWasFaster) return cancelLocally(database, request, ticket, lock); // look again
    throw error;
  });
}

function actOf({ caller, reason, attempted }: CancelRequest): Act {
  return { actor: caller.sub, role: caller.role, reason, requestId: attempted.requestId };
}

async function view({ database, outbox }: CancelDependencies, orderId: string) {
  const order = await database.manager.findOneByOrFail(BoxOrder, { id: orderId });
  const events = await database.manager.find(OutboxEvent, { where: { subjectId: orderId }, order: { id: 'ASC' } });
  const ofCancel = events.filter((event) => event.type === energyCancel.type || event.type === meicanCancel.type);
  return { order: orderView(order), events: ofCancel.map((event) => eventView(event, outbox.failuresMax(event.type))) };
}
