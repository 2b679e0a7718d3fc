import { carriedOn } from '../base/clock.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import { CommitUnknown } from '../database/errors.js';
import { BoxOrder } from '../entities/box-order.js';
import { type Answer, begin, complete, keepRefusal } from '../http/idempotency.js';
import { confirm } from './confirm.js';
import { userKey } from './lock.js';
import { type Payment, pay, problemOf } from './pay.js';
import type { PlaceDependencies, PlacedOrder, PlaceRequest, Placing, Reserved } from './placing.js';
import { reserveMeals } from './reserve-meals.js';
import { rollBack } from './roll-back.js';
import { orderView } from './view.js';

/** Orders boxed meals: all of them are paid, or none is kept. Throws Problem. */
export async function place(dependencies: PlaceDependencies, request: PlaceRequest): Promise<Answer> {
  const { database, locks } = dependencies;
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  if (!ticket.taken) await dependencies.tokens?.use(ticket);
  const placing = { ...dependencies, request, ticket };
  let isWritten = ticket.resume.length > 0; // an earlier run of this request had committed T1
  try {
    return await locks.withLock([userKey(request.userId)], async (lock) => {
      const reserved = (await resume(placing)) ?? (await reserveMeals(placing, lock));
      isWritten = true;
      crashPoint('place-after-t1');
      if (reserved.orders.every((order) => order.status !== 'PAYING'))
        return await answerPlaced(placing, reserved.orders);
      return await payAndConfirm(placing, reserved);
    });
  } catch (error) {
    const mayBeKept = isWritten || error instanceof CommitUnknown;
    const told = error instanceof Problem || !mayBeKept ? error : ourDatabaseFailed(error);
    if (!(told instanceof Problem)) throw told;
    throw await keepRefusal(database, ticket, told);
  }
}

/**
 * Orders may be written and money may move. The guards end them, and a repeat with the same key tells how it
 * ended.
 */
function ourDatabaseFailed(cause: unknown): Problem {
  return new Problem('payment-unknown', {
    detail: 'the same request with the same key will tell how it ended',
    retryAfterS: 5,
    cause,
  });
}

/**
 * An earlier run of this request died between T1 and its answer. Null: it left nothing to go on with, and the
 * request starts afresh. Otherwise its orders: all PAYING, so that the payment goes on, or all paid by a T2
 * whose answer was lost.
 */
async function resume(placing: Placing): Promise<Reserved | null> {
  const { database, clock, ticket } = placing;
  if (ticket.resume.length === 0) return null;
  const found = await Promise.all(
    ticket.resume.map((orderNo) => database.manager.findOneBy(BoxOrder, { orderNo })),
  );
  const orders = found.filter((order) => order !== null);
  const paying = orders.filter((order) => order.status === 'PAYING');
  const isRolledBack = orders.some((order) => order.status === 'SYSTEM_CANCEL');
  if (orders.length > 0 && !isRolledBack && (paying.length === orders.length || paying.length === 0))
    return { orders, moves: new Map(), now: carriedOn(await database.now(), clock) };
  await rollBack(placing, paying, new Map()); // a guard has ended some of them: the rest follow
  return null;
}

async function payAndConfirm(placing: Placing, reserved: Reserved): Promise<Answer> {
  const payments = await payAll(placing, reserved.orders);
  crashPoint('place-after-pay');
  const failed = [...payments.values()].find((payment) => payment.kind !== 'applied');
  const body = failed ? null : await confirm(placing, reserved);
  if (body) {
    crashPoint('place-before-answer');
    return { status: 201, body, replayed: false };
  }
  const ended = await rollBack(placing, reserved.orders, payments);
  if (ended === 'confirmed') {
    const confirmed = reserved.orders.map(({ id }) =>
      placing.database.manager.findOneByOrFail(BoxOrder, { id }),
    );
    return answerPlaced(placing, await Promise.all(confirmed));
  }
  throw failed
    ? problemOf(failed, ended === 'surely-unpaid')
    : new Problem('payment-unknown', { retryAfterS: 5 });
}

/** One after the other; after the first payment that fails the rest are not sent. */
async function payAll(placing: Placing, orders: readonly PlacedOrder[]): Promise<Map<string, Payment>> {
  const { attempted, traceparent } = placing.request;
  const payments = new Map<string, Payment>();
  for (const order of orders) {
    const payment = await pay(placing, order, { requestId: attempted.requestId, traceparent });
    payments.set(order.id, payment);
    if (payment.kind !== 'applied') break;
  }
  return payments;
}

/** An earlier run of this request had paid them. */
async function answerPlaced({ database, ticket }: Placing, orders: readonly PlacedOrder[]): Promise<Answer> {
  const body = { orders: orders.map(orderView) };
  // A repeat with the same key finds them paid, and answers the same.
  await complete(database, ticket, 201, body).catch(() => {});
  return { status: 201, body, replayed: false };
}
