import { releaseStock } from '../books/release-stock.js';
import { endOrder } from '../books/transition.js';
import { type Clock, carriedOn } from '../clock.js';
import { crashPoint } from '../crash-point.js';
import type { Database, Queryable } from '../database/database.js';
import { entitiesOf } from '../database/entities-of.js';
import { fromSqlInstant, now, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { energyKey, meicanKey } from '../handlers/payloads.js';
import { type Act, audit } from '../outbox/audit.js';
import { expedite } from '../outbox/expedite.js';
import type { Outbox } from '../outbox/outbox.js';
import { pendingOf, record } from '../outbox/record.js';
import { Problem } from '../problems.js';
import { type Caller, may, mayReach } from './caller.js';
import { type Answer, type Attempted, begin, complete, hold, keepRefusal, type Ticket } from './idempotency.js';
import { type Grant, type Locks, orderKey, userKey } from './lock.js';
import { type EventView, eventView, type OrderView, orderView } from './view.js';

export interface CancelDependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly locks: Locks;
  readonly clock: Clock;
  /** How long the request carries out its own events. Milliseconds; 0: it leaves them to the schedulers. */
  readonly inlineBudgetMs: number;
}

export interface CancelRequest {
  readonly attempted: Attempted;
  readonly caller: Caller;
  readonly orderId: string;
  readonly reason: string | null;
  readonly traceparent: string | null;
}

interface Body {
  readonly order: OrderView;
  readonly events: EventView[];
}

/** An order as it was read, and the database's clock since. */
interface Read {
  readonly order: BoxOrder;
  now(): Date;
}

/** Cancels a live order: our own books at once; refund and vendor as events, carried out here within the budget. Throws Problem. */
export async function cancel(dependencies: CancelDependencies, request: CancelRequest): Promise<Answer> {
  const { database, outbox, locks, inlineBudgetMs } = dependencies;
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const read = await reachable(dependencies, request);
    const { order } = read;
    const cancelled = await locks.withLock([userKey(order.userId), orderKey(order.id)], (lock) => cancelLocally(dependencies, request, ticket, lock, read));
    crashPoint('cancel-after-t1');
    if (cancelled?.answer) {
      crashPoint('cancel-before-answer');
      return { status: 202, body: cancelled.answer, replayed: false };
    }
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

async function reachable({ database, clock }: CancelDependencies, { caller, orderId }: CancelRequest): Promise<Read> {
  const [row] = await database.query<{ now: unknown }>(sql`SELECT o.*, ${now} AS now FROM box_order o WHERE o.id = ${orderId}`);
  const [order] = entitiesOf(database, BoxOrder, row ? [row] : []);
  if (!order || !mayReach(caller, order.userId)) throw new Problem('not-found', { detail: 'there is no such order' });
  return { order, now: carriedOn(fromSqlInstant(row?.now), clock) };
}

/**
 * T1. Null: it had been cancelled before. The conditional UPDATE, not the lock, decides which of two cancels wins. The order was read before the
 * lock was had: what that allows is tried, what it refuses is looked at again. With `answer`: nothing more is done here, and the answer is kept already.
 */
async function cancelLocally(
  dependencies: CancelDependencies,
  request: CancelRequest,
  ticket: Ticket,
  lock: Grant,
  { order, now: clock }: Read,
  isFresh = false,
): Promise<{ answer: Body | null } | null> {
  const { database, outbox, inlineBudgetMs } = dependencies;
  const lookAgain = async () => cancelLocally(dependencies, request, ticket, lock, await reachable(dependencies, request), true);
  if (order.status !== 'ORDERING' && order.status !== 'ORDERED') {
    if (!isFresh) return lookAgain();
    if (order.status === 'USER_CANCEL') return null;
    if (order.status === 'PAYING') throw new Problem('order-busy', { detail: 'the order is being paid', retryAfterS: 1 });
    throw new Problem('order-not-cancellable', { more: { currentStatus: order.status } });
  }
  class SomebodyWasFaster extends Error {}
  const { caller, attempted, reason } = request;
  const work = database.transaction(async (tx) => {
    await hold(tx, ticket, [order.orderNo]);
    const ending = { to: 'USER_CANCEL', refund: 'PENDING', operator: caller.sub } as const;
    const at = clock();
    if (at >= order.cutoffAt) throw new Problem('cutoff-passed');
    if (!(await endOrder(tx, order.id, { ...ending, from: [order.status], reason, at }))) throw new SomebodyWasFaster();
    const about = {
      subjectId: order.id,
      subjectNo: order.orderNo,
      requestId: attempted.requestId,
      traceparent: request.traceparent,
      wake: inlineBudgetMs === 0,
    };
    const keys = { energy: energyKey(order.orderNo), meican: meicanKey(order.orderNo) };
    const pending = await pendingOf(tx, [keys.energy, keys.meican]);
    await record(
      tx,
      energyCancel,
      { orderId: order.id, orderNo: order.orderNo, userId: order.userId, amountInCent: order.priceInCent, reason: 'USER_CANCEL' },
      { ...about, firstOfItsKey: !pending.has(keys.energy) },
    );
    if (pending.has(keys.meican)) await expedite(tx, keys.meican); // a placement that waits has nothing more to wait for
    await record(
      tx,
      meicanCancel,
      { orderId: order.id, orderNo: order.orderNo },
      { ...about, deadlineAt: order.cutoffAt, firstOfItsKey: !pending.has(keys.meican) },
    );
    if (may(caller.role, 'act'))
      await audit(tx, actOf(request), {
        verb: 'cancel',
        targetType: 'order',
        targetId: order.id,
        subjectId: order.id,
        before: { status: order.status },
        after: { status: 'USER_CANCEL' },
      });
    crashPoint('cancel-in-t1');
    const answer =
      inlineBudgetMs === 0
        ? {
            order: orderView({ ...order, status: ending.to, refund: ending.refund, operator: ending.operator, updatedAt: at }),
            events: await eventsOf(tx, outbox, order.id),
          }
        : null;
    if (answer) await complete(tx, ticket, 202, answer);
    const detail = {
      operator: caller.sub,
      role: caller.role,
      from: order.status,
      reason,
      idempotencyKey: attempted.key,
      requestId: attempted.requestId,
      lock,
      released: { dishId: order.dishId, sideboardId: order.sideboardId },
    };
    await releaseStock(tx, [order], [{ orderId: order.id, kind: 'cancelled', detail }]);
    return { answer };
  });
  return work.catch((error: unknown) => {
    if (error instanceof SomebodyWasFaster) return lookAgain();
    throw error;
  });
}

function actOf({ caller, reason, attempted }: CancelRequest): Act {
  return { actor: caller.sub, role: caller.role, reason, requestId: attempted.requestId };
}

async function view({ database, outbox }: CancelDependencies, orderId: string): Promise<Body> {
  const order = await database.manager.findOneByOrFail(BoxOrder, { id: orderId });
  return { order: orderView(order), events: await eventsOf(database, outbox, orderId) };
}

async function eventsOf(queryable: Queryable, outbox: Outbox, orderId: string): Promise<EventView[]> {
  const rows = await queryable.query(sql`
    SELECT * FROM outbox_event WHERE subject_id = ${orderId} AND (type = ${energyCancel.type} OR type = ${meicanCancel.type}) ORDER BY id`);
  return entitiesOf(queryable, OutboxEvent, rows).map((event) => eventView(event, outbox.failuresMax(event.type)));
}
