import { crashPoint } from '../base/crash-point.js';
import type { Tx } from '../database/database.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { outTradeNo } from '../handlers/payloads.js';
import { complete } from '../http/idempotency.js';
import { settleWithoutRunning } from '../outbox/expedite.js';
import { record } from '../outbox/record.js';
import { toOrdering, writeStep } from './order.js';
import { guardOf, type PlacedOrder, type PlaceRequest, type Placing, type Reserved } from './placing.js';
import type { StockMoves } from './stock.js';
import { orderView } from './view.js';

export interface PlacedBody {
  readonly orders: ReturnType<typeof orderView>[];
}

/** A guard has ended one of the orders. T2 rolls back. */
class GuardWasFirst extends Error {}

/**
 * T2: PAYING → ORDERING, the guards are settled, the placements at Meican are recorded. Null: a guard had
 * ended an order first, and nothing was written.
 */
export async function confirm(placing: Placing, reserved: Reserved): Promise<PlacedBody | null> {
  crashPoint('place-before-t2');
  try {
    const body = await placing.database.transaction((tx) => confirmAll(tx, placing, reserved));
    crashPoint('place-after-t2');
    return body;
  } catch (error) {
    if (error instanceof GuardWasFirst) return null;
    throw error;
  }
}

async function confirmAll(
  tx: Tx,
  { request, ticket }: Placing,
  { orders, moves, now }: Reserved,
): Promise<PlacedBody> {
  const updatedAt = now();
  for (const order of orders) {
    if (!(await toOrdering(tx, order.id, updatedAt))) throw new GuardWasFirst();
    // Refunds exist only for ended orders.
    await settleWithoutRunning(tx, energyRollback, guardOf(order), { lastOfItsKey: true });
    await recordPlacement(tx, request, order);
    await writePaid(tx, order, moves.get(order.id) ?? null);
  }
  const body = { orders: orders.map((order) => orderView({ ...order, status: 'ORDERING', updatedAt })) };
  await complete(tx, ticket, 201, body);
  return body;
}

async function recordPlacement(
  tx: Tx,
  { attempted, traceparent }: PlaceRequest,
  { id, orderNo, cutoffAt }: PlacedOrder,
): Promise<void> {
  await record(
    tx,
    meicanNewOrder,
    { orderId: id, orderNo },
    {
      subjectId: id,
      subjectNo: orderNo,
      requestId: attempted.requestId,
      traceparent,
      deadlineAt: cutoffAt,
      firstOfItsKey: true,
    },
  );
}

async function writePaid(tx: Tx, order: PlacedOrder, stock: StockMoves | null): Promise<void> {
  await writeStep(tx, order.id, 'paid', {
    outTradeNo: outTradeNo(order.orderNo),
    amountInCent: order.priceInCent,
    stock,
  });
}
