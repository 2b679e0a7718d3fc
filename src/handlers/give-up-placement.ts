import type { Tx } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { endOrder, owedOf, refundDueOf, writeStep } from '../orders/order.js';
import { releaseStock } from '../orders/stock.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, Failure } from '../outbox/types.js';
import { dinerCard } from './diner-card.js';
import { energyCancel } from './energy-cancel.js';
import { meicanCancel } from './meican-cancel.js';

/** How long after the cut-off a meal that may have been placed is looked for. */
const GHOST_SWEEP_MS = 30 * 60_000;

/**
 * The placement's event after its last failure, or when a person discards it. `payload` null: it cannot be
 * read any more.
 */
type GivenUp = Pick<ClaimedEvent, 'subjectId' | 'unknownAt' | 'requestId' | 'traceparent'> & {
  readonly payload: { readonly orderId: string } | null;
};

/**
 * Ends an order whose meal will not be placed: ORDER_ERROR, stock back, points back, a card to the diner. A
 * meal that may have been placed is looked for, and cancelled when it is found. Does nothing when the order
 * is no longer ORDERING.
 */
export async function giveUpPlacement(tx: Tx, event: GivenUp, failure: Failure): Promise<void> {
  const id = event.payload?.orderId ?? event.subjectId ?? '';
  const order = await tx.manager.findOneBy(BoxOrder, { id });
  if (!order) return;
  const isEnded = await endOrder(tx, order.id, {
    to: 'ORDER_ERROR',
    from: ['ORDERING'],
    refund: refundDueOf(order),
    reason: failure.code,
  });
  if (!isEnded) return;
  await writeStep(tx, order.id, 'order-error', {
    code: failure.code,
    released: { dishId: order.dishId, sideboardId: order.sideboardId },
  });
  await recordWhatFollows(tx, order, event, failure);
  await releaseStock(tx, [order]);
}

async function recordWhatFollows(
  tx: Tx,
  order: BoxOrder,
  { unknownAt, requestId, traceparent }: GivenUp,
  failure: Failure,
): Promise<void> {
  const { id: orderId, orderNo, userId } = order;
  const amountInCent = owedOf(order);
  const about = { subjectId: orderId, subjectNo: orderNo, requestId, traceparent };
  if (amountInCent > 0)
    await record(tx, energyCancel, { orderId, orderNo, userId, amountInCent, reason: 'ORDER_ERROR' }, about);
  const { dishName, edibleDate, mealType } = order;
  await record(tx, dinerCard, { orderId, orderNo, userId, dishName, edibleDate, mealType }, about);
  if (unknownAt === null && failure.outcome !== 'unknown') return;
  const lookUntil = new Date(order.cutoffAt.getTime() + GHOST_SWEEP_MS).toISOString();
  await record(tx, meicanCancel, { orderId, orderNo, lookUntil }, about);
}
