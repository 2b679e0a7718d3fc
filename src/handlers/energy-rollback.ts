import type { z } from 'zod';
import { BoxOrder } from '../entities/box-order.js';
import { endOrder, writeStep } from '../orders/order.js';
import { releaseStock } from '../orders/stock.js';
import type { ClaimedEvent, EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { orderGone } from './answer.js';
import { contradiction } from './ask-refund.js';
import { closePayment } from './close-payment.js';
import type { EnergyDependencies } from './dependencies.js';
import { refundDeadlineMs } from './energy-cancel.js';
import type { EventType } from './event-type.js';
import { findRefund } from './find-refund.js';
import {
  dedupeOf,
  energyKey,
  exampleOrder,
  outRefundNo,
  outTradeNo,
  paidOrder,
  refundFor,
  repair,
} from './payloads.js';
import { refund } from './refund.js';
import { nothingToRefund, refunded } from './refund-in-books.js';
import { ORDER_GONE, orderOf, whileOwed } from './refuse-discard.js';

const payload = paidOrder.extend({ repair });
type Payload = z.infer<typeof payload>;

/**
 * The guard of a payment: recorded before the money moves, due after the payment window. If the order was not
 * confirmed by then, the guard ends the order and gives back the points that were taken.
 */
export const energyRollback: EventType<Payload> = {
  type: 'ENERGY_CENTER_ROLLBACK_V2_ERROR',
  target: 'energy',
  version: 1,
  schema: payload,
  example: { ...exampleOrder, userId: 'u1', amountInCent: 2300 },
  dedupeKey: ({ orderNo, repair: nth }) => dedupeOf(orderNo, nth),
  orderingKey: ({ orderNo }) => energyKey(orderNo),
  words: {
    zh: {
      name: '支付回滚',
      does: '付款没有得到确认时关闭或退还它。',
      ifNever: '用户可能白付了钱。',
      affects: '这位用户的能量点。',
    },
    en: {
      name: 'Payment guard',
      does: 'Closes or refunds a payment that was not confirmed.',
      ifNever: 'The diner may have paid for nothing.',
      affects: 'This diner’s points.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'PAYING',
      pending: 'refused: only this guard ends the order',
      errored: 'refused: only this guard ends the order',
    },
    {
      of: 'SYSTEM_CANCEL, refund PENDING',
      pending: 'refused: the points are owed',
      errored: 'refused: requeue it, or state with proof that it was done',
    },
    {
      of: 'confirmed, or nothing owed',
      pending: 'allowed',
      errored: 'allowed',
    },
  ],
  createHandler: ({ energy }) => createEnergyRollback(energy),
};

const REASON = 'SYSTEM_CANCEL';

export function createEnergyRollback({
  database,
  energy,
  clock,
  timeoutMs,
}: EnergyDependencies): EventHandler<Payload> {
  return {
    definition: energyRollback,
    limits: { deadlineMs: refundDeadlineMs(timeoutMs) + 2 * timeoutMs, maxSnoozeMs: 30 * 60_000 },

    async handle(event, context) {
      const order = await database.manager.findOneBy(BoxOrder, { id: event.payload.orderId });
      if (!order) return orderGone(event.payload.orderId);
      const status = order.status === 'PAYING' ? await endPaying(order, context) : order.status;
      if (status !== 'SYSTEM_CANCEL')
        return { kind: 'done', outcome: null, note: `the payment was confirmed: the order is ${status}` };
      return giveBack(event, context);
    },

    ask: ({ orderNo }, context) => findRefund(energy, outTradeNo(orderNo), outRefundNo(orderNo), context),
    onStatedDone: (tx, payload) => refunded(payload.orderId, refundFor(payload, REASON))(tx),
    async refuseDiscard(queryable, event) {
      const order = await orderOf(queryable, event);
      if (!order) return ORDER_GONE;
      if (order.status === 'PAYING')
        return 'the order is being paid: only this guard ends it when the payment is not confirmed';
      // In any other state the payment was confirmed, and the guard has nothing to do.
      return order.status === 'SYSTEM_CANCEL' ? whileOwed(order, event) : null;
    },
  };

  /**
   * Closing the payment's number decides: not paid → no late payment can arrive; paid → the energy center
   * says so, and it is refunded.
   */
  async function giveBack(event: ClaimedEvent<Payload>, context: HandlerContext): Promise<HandlerOutcome> {
    const { orderId } = event.payload;
    const wanted = refundFor(event.payload, REASON);
    const closed = await closePayment(energy, wanted.outTradeNo, event.unknownAt !== null, context);
    if (closed.kind === 'answer') return closed.answer;
    if (closed.kind === 'unpaid')
      return {
        kind: 'done',
        outcome: 'applied',
        note: 'nothing was paid; the payment number is closed',
        effect: nothingToRefund(orderId, wanted.outTradeNo),
      };
    const result = await refund({ database, energy, clock }, wanted, event, context);
    if (result.kind === 'answer') return result.answer;
    if (result.kind === 'no-payment') return contradiction(result.inDoubt);
    return { kind: 'done', outcome: 'applied', note: result.note, effect: refunded(orderId, wanted) };
  }
}

/**
 * Ends the order before anything is given back, so that a later confirmation finds it ended. Returns the
 * order's state after that.
 */
async function endPaying(order: BoxOrder, context: HandlerContext): Promise<string> {
  return context.step(async (tx) => {
    const ended = await endOrder(tx, order.id, {
      to: 'SYSTEM_CANCEL',
      from: ['PAYING'],
      refund: 'PENDING',
      reason: 'payment-not-confirmed',
    });
    if (!ended) return (await tx.manager.findOneByOrFail(BoxOrder, { id: order.id })).status;
    await writeStep(tx, order.id, 'payment-rolled-back', {
      released: { dishId: order.dishId, sideboardId: order.sideboardId },
    });
    await releaseStock(tx, [order]);
    return 'SYSTEM_CANCEL';
  });
}
