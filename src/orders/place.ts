import { type Clock, carriedOn } from '../base/clock.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import { childTraceparent } from '../base/trace.js';
import { type EnergyClient, energyCodes, type TradeState } from '../clients/energy.js';
import { type Outcome, PROCESSING } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { Database, Tx } from '../database/database.js';
import { CommitUnknown, duplicateOf } from '../database/errors.js';
import { join, raw, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { outTradeNo } from '../handlers/payloads.js';
import {
  type Answer,
  type Attempted,
  begin,
  complete,
  hold,
  keepRefusal,
  letGo,
  type Ticket,
} from '../http/idempotency.js';
import { makeDue, settleAsNeedless } from '../outbox/expedite.js';
import { record } from '../outbox/record.js';
import { type CheckedMeal, checkMeals, type MealInput } from './check-meals.js';
import { type Grant, type Locks, userKey } from './lock.js';
import type { OrderNumbers } from './number.js';
import { endOrder, toOrdering, writeStep } from './order.js';
import type { StockMoves } from './stock.js';
import { releaseStock, reserve, SoldOut } from './stock.js';
import { orderView } from './view.js';

export interface PlaceDependencies {
  readonly database: Database;
  readonly energy: EnergyClient;
  readonly locks: Locks;
  readonly numbers: OrderNumbers;
  readonly clock: Clock;
  /** The guard of an unconfirmed payment falls due so long after the order was written. Milliseconds. */
  readonly paymentWindowMs: number;
  readonly payTimeoutMs: number;
}

export interface PlaceRequest {
  readonly attempted: Attempted;
  readonly userId: string;
  readonly email: string;
  readonly realName: string;
  readonly garden: string;
  readonly meals: readonly MealInput[];
  readonly traceparent: string | null;
}

/** An order of this request, as far as what follows needs it. */
type PlacedOrder = Parameters<typeof orderView>[0] & Pick<BoxOrder, 'cutoffAt'>;

interface Reserved {
  readonly orders: readonly PlacedOrder[];
  /** What each took from the stock; of a request that is taken over, that is told by the run that died. */
  readonly moves: ReadonlyMap<string, StockMoves>;
  /** The database's clock. */
  now(): Date;
}

const NUMBER_TRIES = 5;
const PROCESSING_ASK_MS = 300;

/** Orders boxed meals: all of them paid, or none kept. Throws Problem. */
export async function place(dependencies: PlaceDependencies, request: PlaceRequest): Promise<Answer> {
  const found = await begin(dependencies.database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  let isKept = ticket.resume.length > 0; // an earlier run of this request had committed T1
  try {
    return await dependencies.locks.withLock([userKey(request.userId)], async (lock) => {
      const reserved =
        (await resumable(dependencies, ticket)) ?? (await reserveAll(dependencies, request, ticket, lock));
      isKept = true;
      crashPoint('place-after-t1');
      if (reserved.orders.every((order) => order.status !== 'PAYING'))
        return await answerAgain(dependencies.database, ticket, reserved.orders);
      return await payAndConfirm(dependencies, request, ticket, reserved);
    });
  } catch (error) {
    const told =
      error instanceof Problem || !(isKept || error instanceof CommitUnknown) ? error : inTheDark(error);
    throw told instanceof Problem
      ? await keepRefusal(dependencies.database, ticket, told).catch(() => told)
      : told; // that it cannot be kept matters less
  }
}

/** Our own database failed once orders may stand and money may move: the guards know what to do, and the same key will tell how it ended. */
function inTheDark(cause: unknown): Problem {
  return new Problem('payment-unknown', {
    detail: 'the same request with the same key will tell how it ended',
    retryAfterS: 5,
    cause,
  });
}

/**
 * An earlier run of this very request died between T1 and its answer. Null: it left nothing to go on with, the request starts afresh.
 * Otherwise its orders: all PAYING (go on with the payment), or all paid by a T2 whose answer was lost.
 */
async function resumable({ database, clock }: PlaceDependencies, ticket: Ticket): Promise<Reserved | null> {
  if (ticket.resume.length === 0) return null;
  const found = await Promise.all(
    ticket.resume.map((orderNo) => database.manager.findOneBy(BoxOrder, { orderNo })),
  );
  const orders = found.filter((order) => order !== null);
  const paying = orders.filter((order) => order.status === 'PAYING');
  const rolledBack = orders.some((order) => order.status === 'SYSTEM_CANCEL');
  if (orders.length > 0 && !rolledBack && (paying.length === orders.length || paying.length === 0)) {
    return { orders, moves: new Map(), now: carriedOn(await database.now(), clock) };
  }
  await rollBack(database, ticket, paying, new Map()); // a guard has rolled some back already: the rest follow
  return null;
}

/** T1: check, reserve, and record the guard of each payment before any money moves. */
async function reserveAll(
  { database, numbers, clock, paymentWindowMs }: PlaceDependencies,
  request: PlaceRequest,
  ticket: Ticket,
  lock: Grant,
): Promise<Reserved> {
  const { meals, now } = await checkMeals(database, clock, request.garden, request.meals);
  for (let tryNo = 1; ; tryNo++) {
    const orderNos = await numbers.next(meals.length, now());
    try {
      return await database.transaction(async (tx) => {
        await hold(tx, ticket, orderNos);
        const orders: PlacedOrder[] = [];
        for (const [i, meal] of meals.entries())
          orders.push(await writeOrder(tx, request, meal, orderNos[i] ?? '', now(), paymentWindowMs, lock));
        const taken = await reserve(tx, meals);
        return { orders, moves: new Map(orders.map(({ id }, i) => [id, taken[i] as StockMoves])), now };
      });
    } catch (error) {
      if (error instanceof SoldOut)
        throw new Problem(error.what === 'dish' ? 'dish-sold-out' : 'sideboard-full');
      const duplicate = duplicateOf(error);
      if (duplicate?.includes('live_key')) throw new Problem('already-ordered');
      if (!duplicate?.includes('order_no') || tryNo === NUMBER_TRIES) throw error;
      await numbers.reseed(now());
    }
  }
}

async function writeOrder(
  tx: Tx,
  request: PlaceRequest,
  meal: CheckedMeal,
  orderNo: string,
  createdAt: Date,
  paymentWindowMs: number,
  lock: Grant,
): Promise<PlacedOrder> {
  const { userId, email, realName, garden, attempted, traceparent } = request;
  const liveKey = `${userId}|${meal.edibleDate}|${meal.mealType}`;
  const { insertId: id } = await tx.execute(sql`
    INSERT INTO box_order (order_no, user_id, email, real_name, garden, corp, status, dish_id, dish_name, meican_dish_id, sideboard_id, address_id, edible_date, meal_type, cutoff_at, price_in_cent, live_key, refund, request_id, created_at, updated_at)
    VALUES (${orderNo}, ${userId}, ${email}, ${realName}, ${garden}, ${meal.corp}, 'PAYING', ${meal.dishId}, ${meal.dishName}, ${meal.meicanDishId}, ${meal.sideboardId}, ${meal.addressId}, ${meal.edibleDate}, ${meal.mealType},
      ${meal.cutoffAt}, ${meal.priceInCent}, ${liveKey}, 'NONE', ${attempted.requestId}, ${createdAt}, ${createdAt})`);
  const order: PlacedOrder = {
    ...meal,
    id,
    orderNo,
    userId,
    garden,
    status: 'PAYING',
    meicanOrderId: null,
    operator: null,
    refund: 'NONE',
    createdAt,
    updatedAt: createdAt,
  };
  await record(tx, energyRollback, guarded(order), {
    runInMs: paymentWindowMs,
    subjectId: id,
    subjectNo: orderNo,
    requestId: attempted.requestId,
    traceparent,
    firstOfItsKey: true,
  });
  await writeStep(tx, id, 'placed', {
    caller: attempted.caller,
    idempotencyKey: attempted.key,
    lock,
    reserved: { dishId: meal.dishId, sideboardId: meal.sideboardId },
    amountInCent: meal.priceInCent,
  });
  return order;
}

/** What the guard of its payment was recorded with. */
function guarded({ id, orderNo, userId, priceInCent }: PlacedOrder) {
  return { orderId: id, orderNo, userId, amountInCent: priceInCent };
}

async function payAndConfirm(
  dependencies: PlaceDependencies,
  request: PlaceRequest,
  ticket: Ticket,
  reserved: Reserved,
): Promise<Answer> {
  const { database } = dependencies;
  const { orders } = reserved;
  const payments = new Map<string, Outcome<null>>();
  for (const order of orders) {
    const payment = await pay(dependencies, request, order);
    payments.set(order.id, payment);
    if (payment.kind !== 'applied') break; // the meals behind it are not paid at all
  }
  crashPoint('place-after-pay');
  const failed = [...payments.values()].find((payment) => payment.kind !== 'applied');
  const body = failed ? null : await confirm(database, request, ticket, reserved);
  if (body) {
    crashPoint('place-before-answer');
    return { status: 201, body, replayed: false };
  }
  const ended = await rollBack(database, ticket, orders, payments);
  if (ended === 'confirmed') {
    const confirmed = await Promise.all(
      orders.map(({ id }) => database.manager.findOneByOrFail(BoxOrder, { id })),
    );
    return answerAgain(database, ticket, confirmed);
  }
  throw failed
    ? problemOf(failed, ended === 'surely-unpaid')
    : new Problem('payment-unknown', { retryAfterS: 5 });
}

async function answerAgain(
  database: Database,
  ticket: Ticket,
  orders: readonly PlacedOrder[],
): Promise<Answer> {
  const body = { orders: orders.map(orderView) };
  await complete(database, ticket, 201, body).catch(() => {}); // they are paid: the same key will find them so
  return { status: 201, body, replayed: false };
}

async function pay(
  { energy, clock, paymentWindowMs, payTimeoutMs }: PlaceDependencies,
  { attempted, traceparent }: PlaceRequest,
  order: PlacedOrder,
): Promise<Outcome<null>> {
  const context: CallContext = { requestId: attempted.requestId, traceparent: childTraceparent(traceparent) };
  const number = outTradeNo(order.orderNo);
  // The same for each repeat of this number: the vendor refuses another body.
  const expireAt = new Date(order.createdAt.getTime() + paymentWindowMs);
  let outcome = await energy.pay(
    {
      outTradeNo: number,
      userId: order.userId,
      amountInCent: order.priceInCent,
      subject: `${order.edibleDate} ${order.mealType}`,
      orderNo: order.orderNo,
      expireAt,
    },
    context,
  );
  const deadline = performance.now() + payTimeoutMs;
  while (outcome.kind === 'unknown' && outcome.code === PROCESSING && performance.now() < deadline) {
    await clock.sleep(PROCESSING_ASK_MS);
    const asked = await energy.queryPay(number, context);
    if (asked.kind === 'applied') outcome = endedAs(asked.value.state) ?? outcome;
  }
  return outcome;
}

/** How a payment that was PROCESSING ended. Null: it has not, as far as is known; "not found" is a view that lags, and proves nothing. */
function endedAs(state: TradeState): Outcome<null> | null {
  switch (state) {
    case 'SUCCESS':
      return { kind: 'applied', value: null, duplicate: false };
    case 'FAILED':
    case 'CLOSED':
      return { kind: 'rejected', code: state, message: `the payment ended as ${state}` };
    case 'PROCESSING':
    case 'NONE':
      return null;
  }
}

/** T2: PAYING → ORDERING, the guards are needless, the placement at Meican is recorded. Null: a guard was first, and nothing is written. */
async function confirm(
  database: Database,
  { attempted, traceparent }: PlaceRequest,
  ticket: Ticket,
  { orders, moves, now }: Reserved,
): Promise<{ orders: ReturnType<typeof orderView>[] } | null> {
  crashPoint('place-before-t2');
  class GuardWasFirst extends Error {}
  try {
    const body = await database.transaction(async (tx) => {
      const updatedAt = now();
      for (const order of orders) {
        if (!(await toOrdering(tx, order.id, updatedAt))) throw new GuardWasFirst();
        await settleAsNeedless(tx, energyRollback, guarded(order), { lastOfItsKey: true }); // refunds are of ended orders
        await record(
          tx,
          meicanNewOrder,
          { orderId: order.id, orderNo: order.orderNo },
          {
            subjectId: order.id,
            subjectNo: order.orderNo,
            requestId: attempted.requestId,
            traceparent,
            deadlineAt: order.cutoffAt,
            firstOfItsKey: true,
          },
        );
        await writeStep(tx, order.id, 'paid', {
          outTradeNo: outTradeNo(order.orderNo),
          amountInCent: order.priceInCent,
          stock: moves.get(order.id) ?? null,
        });
      }
      const answer = {
        orders: orders.map((order) => orderView({ ...order, status: 'ORDERING', updatedAt })),
      };
      await complete(tx, ticket, 201, answer);
      return answer;
    });
    crashPoint('place-after-t2');
    return body;
  } catch (error) {
    if (error instanceof GuardWasFirst) return null;
    throw error;
  }
}

/**
 * All of them: PAYING → SYSTEM_CANCEL, stock back. Money that was taken, or may have been, goes back through the guards, due now.
 * `surely-unpaid`: no money of any of them was taken, so stock and money are as before.
 * `confirmed`: another run of this very request, from which this one had taken over, has paid and confirmed them meanwhile; nothing is undone.
 */
async function rollBack(
  database: Database,
  ticket: Ticket,
  orders: readonly PlacedOrder[],
  payments: ReadonlyMap<string, Outcome<null>>,
): Promise<'surely-unpaid' | 'rolled-back' | 'confirmed'> {
  return database.transaction(async (tx) => {
    const ended: PlacedOrder[] = [];
    const ids = join(orders.map(({ id }) => id));
    const current =
      orders.length === 0
        ? []
        : await tx.query<{ status: string }>(
            sql`SELECT status FROM box_order WHERE id IN (${ids}) ORDER BY id ${raw(tx.dialect.forUpdate)}`,
          );
    if (
      current.length > 0 &&
      current.every(({ status }) => status !== 'PAYING' && status !== 'SYSTEM_CANCEL')
    )
      return 'confirmed';
    // Another run of this request may have paid: one that died before us, or one that took over from us. Then no answer of ours proves anything.
    let isUnpaid = true;
    const onlyWePaid = (await letGo(tx, ticket)) && ticket.resume.length === 0 && payments.size > 0;
    for (const order of orders) {
      const payment = payments.get(order.id) ?? 'not-sent';
      const surelyUnpaid =
        onlyWePaid &&
        (payment === 'not-sent' || payment.kind === 'rejected' || payment.kind === 'not-applied');
      isUnpaid &&= surelyUnpaid;
      if (
        !(await endOrder(tx, order.id, {
          to: 'SYSTEM_CANCEL',
          from: ['PAYING'],
          refund: surelyUnpaid ? 'NONE' : 'PENDING',
          reason: payment === 'not-sent' ? 'another-meal-failed' : payment.kind,
        }))
      )
        continue;
      ended.push(order);
      const step =
        payment === 'not-sent'
          ? 'pay-not-sent'
          : payment.kind === 'rejected'
            ? 'pay-refused'
            : payment.kind === 'not-applied'
              ? 'pay-not-sent'
              : 'pay-unknown';
      await writeStep(tx, order.id, step, {
        code: payment !== 'not-sent' && payment.kind !== 'applied' ? payment.code : null,
        released: { dishId: order.dishId, sideboardId: order.sideboardId },
      });
      if (surelyUnpaid) await settleAsNeedless(tx, energyRollback, guarded(order));
      else await makeDue(tx, energyRollback, guarded(order));
    }
    await releaseStock(tx, ended);
    return isUnpaid ? 'surely-unpaid' : 'rolled-back';
  });
}

/** `isUnpaid`: nothing was taken for any meal of the request; only then is it as if nothing had been asked. */
function problemOf(payment: Outcome<null>, isUnpaid: boolean): Problem {
  if (payment.kind === 'rejected') {
    if (payment.code === String(energyCodes.insufficientBalance)) return new Problem('insufficient-energy');
    if (
      payment.code === String(energyCodes.cardNotUsable) ||
      payment.code === String(energyCodes.accountNotFound)
    )
      return new Problem('card-not-usable');
  }
  if (payment.kind === 'unknown' || !isUnpaid) return new Problem('payment-unknown', { retryAfterS: 5 });
  return new Problem('dependency-unavailable', {
    detail: 'the energy center did not take the payment',
    retryAfterS: 5,
  });
}
