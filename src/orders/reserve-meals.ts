import { Problem } from '../base/problems.js';
import type { Tx } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { hold } from '../http/idempotency.js';
import { record } from '../outbox/record.js';
import { type CheckedMeal, type CheckedMeals, checkMeals } from './check-meals.js';
import type { Grant } from './lock.js';
import { writeStep } from './order.js';
import { guardOf, type PlacedOrder, type PlaceRequest, type Placing, type Reserved } from './placing.js';
import { insertOrder } from './statements.js';
import { reserve, SoldOut, type StockMoves } from './stock.js';

const NUMBER_TRIES = 5;

/** T1: check, reserve, and record the guard of each payment before any money moves. Throws Problem. */
export async function reserveMeals(placing: Placing, lock: Grant): Promise<Reserved> {
  const { database, clock, numbers, request } = placing;
  const checked = await checkMeals(database, clock, request.garden, request.meals);
  for (let tryNo = 1; ; tryNo++) {
    const orderNos = await numbers.next(checked.meals.length, checked.now());
    try {
      return await database.transaction((tx) => writeAll(tx, placing, { ...checked, orderNos }, lock));
    } catch (error) {
      if (!isNumberTaken(error) || tryNo === NUMBER_TRIES) throw refusalOf(error);
      await numbers.reseed(checked.now());
    }
  }
}

interface Numbered extends CheckedMeals {
  readonly orderNos: readonly string[];
}

async function writeAll(
  tx: Tx,
  placing: Placing,
  { meals, orderNos, now }: Numbered,
  lock: Grant,
): Promise<Reserved> {
  await hold(tx, placing.ticket, orderNos);
  const orders: PlacedOrder[] = [];
  for (const [i, meal] of meals.entries()) {
    const order = await writeOrder(tx, placing.request, { meal, orderNo: orderNos[i] ?? '', at: now() });
    await recordGuard(tx, placing, order);
    await writePlaced(tx, placing.request, order, lock);
    orders.push(order);
  }
  const taken = await reserve(tx, meals);
  return { orders, moves: new Map(orders.map(({ id }, i) => [id, taken[i] as StockMoves])), now };
}

interface NumberedMeal {
  readonly meal: CheckedMeal;
  readonly orderNo: string;
  readonly at: Date;
}

/** UNIQUE live_key refuses a second live order of this diner for the same day and meal. */
async function writeOrder(
  tx: Tx,
  { userId, email, realName, garden, attempted }: PlaceRequest,
  { meal, orderNo, at }: NumberedMeal,
): Promise<PlacedOrder> {
  const { requestId } = attempted;
  const order = { ...meal, orderNo, userId, email, realName, garden, requestId, at };
  const { insertId: id } = await tx.execute(insertOrder(order));
  return {
    ...meal,
    id,
    orderNo,
    userId,
    garden,
    status: 'PAYING',
    meicanOrderId: null,
    operator: null,
    refund: 'NONE',
    fulfilment: 'NONE',
    grantedInCent: 0,
    createdAt: at,
    updatedAt: at,
  };
}

async function recordGuard(tx: Tx, { request, paymentWindowMs }: Placing, order: PlacedOrder): Promise<void> {
  await record(tx, energyRollback, guardOf(order), {
    runInMs: paymentWindowMs,
    subjectId: order.id,
    subjectNo: order.orderNo,
    requestId: request.attempted.requestId,
    traceparent: request.traceparent,
    firstOfItsKey: true,
  });
}

async function writePlaced(
  tx: Tx,
  { attempted }: PlaceRequest,
  order: PlacedOrder,
  lock: Grant,
): Promise<void> {
  await writeStep(tx, order.id, 'placed', {
    caller: attempted.caller,
    idempotencyKey: attempted.key,
    lock,
    reserved: { dishId: order.dishId, sideboardId: order.sideboardId },
    amountInCent: order.priceInCent,
  });
}

/** This order number exists: a Redis that lost its memory counts from a lower number again. */
function isNumberTaken(error: unknown): boolean {
  const duplicate = duplicateOf(error);
  return !duplicate?.includes('live_key') && (duplicate?.includes('order_no') ?? false);
}

/** What the diner is told of a failed T1. */
function refusalOf(error: unknown): unknown {
  if (error instanceof SoldOut)
    return new Problem(error.what === 'dish' ? 'dish-sold-out' : 'sideboard-full');
  return duplicateOf(error)?.includes('live_key') ? new Problem('already-ordered') : error;
}
