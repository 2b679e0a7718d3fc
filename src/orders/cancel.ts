import { type Caller, may, mayReach } from '../base/caller.js';
import { type Clock, carriedOn } from '../base/clock.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import type { Database, Queryable } from '../database/database.js';
import { entitiesOf } from '../database/entities-of.js';
import { CommitUnknown, isUnavailable } from '../database/errors.js';
import { fromSqlInstant, now, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { energyKey, meicanKey } from '../handlers/payloads.js';
import {
  type Answer,
  type Attempted,
  afterCommit,
  begin,
  complete,
  hold,
  keepAnswer,
  keepRefusal,
  type Ticket,
} from '../http/idempotency.js';
import { type Act, audit } from '../operate/audit.js';
import { expedite } from '../outbox/expedite.js';
import type { Outbox } from '../outbox/outbox.js';
import { pendingOf, record } from '../outbox/record.js';
import { type Grant, type Locks, orderKey, userKey } from './lock.js';
import { endOrder } from './order.js';
import { releaseStock } from './stock.js';
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

/** What T1 wrote, as an answer. `isAnswered`: nothing more is done here, and the answer is kept already. */
interface Cancelled {
  readonly body: Body;
  readonly isAnswered: boolean;
}

/** An order as it was read, and the database's clock since. */
interface Read {
  readonly order: BoxOrder;
  now(): Date;
}

/** Cancels a live order: our own books at once; refund and vendor as events, carried out here within the budget. Throws Problem. */
export async function cancel(dependencies: CancelDependencies, request: CancelRequest): Promise<Answer> {
  const { database } = dependencies;
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const read = await reachable(dependencies, request);
    const cancelled = await cancelOnce(dependencies, request, ticket, read);
    crashPoint('cancel-after-t1');
    const answer = cancelled?.isAnswered
      ? { status: 202, body: cancelled.body, replayed: false }
      : await carryOut(dependencies, ticket, read.order, cancelled);
    crashPoint('cancel-before-answer');
    return answer;
  } catch (error) {
    const told = afterCommit(ticket, error);
    throw told instanceof Problem ? await keepRefusal(database, ticket, told).catch(() => told) : told; // that it cannot be kept matters less
  }
}

/** The order is cancelled, by us or before us: 200 when all that followed is settled, else 202. Whatever fails from here on, the cancel stands. */
async function carryOut(
  dependencies: CancelDependencies,
  ticket: Ticket,
  order: BoxOrder,
  cancelled: Cancelled | null,
): Promise<Answer> {
  const { database, outbox, inlineBudgetMs } = dependencies;
  try {
    if (cancelled)
      await outbox.runInline([energyKey(order.orderNo), meicanKey(order.orderNo)], inlineBudgetMs);
    const body = await view(dependencies, order.id);
    const status = isSettled(body) ? 200 : 202;
    await keepAnswer(database, ticket, status, body).catch(() => {}); // the same key finds the order cancelled, and answers by the same rule
    return { status, body, replayed: false };
  } catch (error) {
    if (!isUnavailable(error)) outbox.signals.emit('sweep-failed', { error });
    if (cancelled) return { status: 202, body: cancelled.body, replayed: false };
    throw new Problem('outcome-unknown', {
      detail: 'the order is cancelled; what followed cannot be read now',
      retryAfterS: 2,
      cause: error,
    });
  }
}

function isSettled({ order, events }: Body): boolean {
  return (
    order.refund !== 'PENDING' && events.every(({ status }) => status === 'handled' || status === 'discarded')
  );
}

/** T1 under the locks. Null: it had been cancelled before, which needs no lock to be seen. */
async function cancelOnce(
  dependencies: CancelDependencies,
  request: CancelRequest,
  ticket: Ticket,
  read: Read,
): Promise<Cancelled | null> {
  const { order } = read;
  if (order.status === 'USER_CANCEL') return null;
  const keys = [userKey(order.userId), orderKey(order.id)];
  try {
    return await dependencies.locks.withLock(keys, (lock) =>
      cancelLocally(dependencies, request, ticket, lock, read),
    );
  } catch (error) {
    const isBusy = error instanceof Problem && error.code === 'order-busy';
    if (!isBusy && !(error instanceof CommitUnknown)) throw error;
    // Whoever holds the lock may be cancelling this very order, and a commit whose answer was lost may have been kept.
    const now = await reachable(dependencies, request).catch(() => null);
    if (now?.order.status === 'USER_CANCEL') return null;
    throw error;
  }
}

async function reachable(
  { database, clock }: CancelDependencies,
  { caller, orderId }: CancelRequest,
): Promise<Read> {
  const [row] = await database.query<{ now: unknown }>(
    sql`SELECT o.*, ${now} AS now FROM box_order o WHERE o.id = ${orderId}`,
  );
  const [order] = entitiesOf(database, BoxOrder, row ? [row] : []);
  if (!order || !mayReach(caller, order.userId))
    throw new Problem('not-found', { detail: 'there is no such order' });
  return { order, now: carriedOn(fromSqlInstant(row?.now), clock) };
}

/**
 * T1. Null: it had been cancelled before. The conditional UPDATE, not the lock, decides which of two cancels wins. The order was read before the
 * lock was had: what that allows is tried, what it refuses is looked at again.
 */
async function cancelLocally(
  dependencies: CancelDependencies,
  request: CancelRequest,
  ticket: Ticket,
  lock: Grant,
  { order, now: clock }: Read,
  isFresh = false,
): Promise<Cancelled | null> {
  const { database, outbox, inlineBudgetMs } = dependencies;
  const lookAgain = async () =>
    cancelLocally(dependencies, request, ticket, lock, await reachable(dependencies, request), true);
  if (order.status !== 'ORDERING' && order.status !== 'ORDERED') {
    if (!isFresh) return lookAgain();
    if (order.status === 'USER_CANCEL') return null;
    if (order.status === 'PAYING')
      throw new Problem('order-busy', { detail: 'the order is being paid', retryAfterS: 1 });
    throw new Problem('order-not-cancellable', { more: { currentStatus: order.status } });
  }
  class SomebodyWasFaster extends Error {}
  const { caller, attempted, reason } = request;
  const work = database.transaction(async (tx) => {
    await hold(tx, ticket, [order.orderNo]);
    const ending = { to: 'USER_CANCEL', refund: 'PENDING', operator: caller.sub } as const;
    const at = clock();
    if (at >= order.cutoffAt) throw new Problem('cutoff-passed');
    if (!(await endOrder(tx, order.id, { ...ending, from: [order.status], reason, at })))
      throw new SomebodyWasFaster();
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
      {
        orderId: order.id,
        orderNo: order.orderNo,
        userId: order.userId,
        amountInCent: order.priceInCent,
        reason: 'USER_CANCEL',
      },
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
    const body = {
      order: orderView({
        ...order,
        status: ending.to,
        refund: ending.refund,
        operator: ending.operator,
        updatedAt: at,
      }),
      events: await eventsOf(tx, outbox, order.id),
    };
    const isAnswered = inlineBudgetMs === 0;
    if (isAnswered) await complete(tx, ticket, 202, body);
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
    return { body, isAnswered };
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
  return entitiesOf(queryable, OutboxEvent, rows).map((event) =>
    eventView(event, outbox.failuresMax(event.type)),
  );
}
