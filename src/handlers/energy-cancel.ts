import type { z } from 'zod';
import { BoxOrder } from '../entities/box-order.js';
import type { EventHandler } from '../outbox/types.js';
import { orderGone } from './answer.js';
import { contradiction } from './ask-refund.js';
import { closePayment } from './close-payment.js';
import type { EnergyDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { findRefund } from './find-refund.js';
import {
  dedupeOf,
  energyKey,
  exampleOrder,
  outRefundNo,
  outTradeNo,
  refundFor,
  refundOrder,
} from './payloads.js';
import { refund } from './refund.js';
import { nothingToRefund, refunded } from './refund-in-books.js';
import { ORDER_GONE, orderOf, whileOwed } from './refuse-discard.js';

type Payload = z.infer<typeof refundOrder>;

/** Gives the points of an ended order back. */
export const energyCancel: EventType<Payload> = {
  type: 'ENERGY_CENTER_V2_CANCEL',
  target: 'energy',
  version: 1,
  schema: refundOrder,
  example: { ...exampleOrder, userId: 'u1', amountInCent: 2300, reason: 'USER_CANCEL' },
  dedupeKey: ({ orderNo, repair }) => dedupeOf(orderNo, repair),
  orderingKey: ({ orderNo }) => energyKey(orderNo),
  words: {
    zh: {
      name: '能量点退款',
      does: '把已结束订单的能量点退给用户。',
      ifNever: '用户付了钱却没有饭。',
      affects: '这位用户的能量点。',
    },
    en: {
      name: 'Refund',
      does: 'Gives the points of an ended order back.',
      ifNever: 'The diner has paid for nothing.',
      affects: 'This diner’s points.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'refund PENDING',
      pending: 'refused: the points are owed',
      errored: 'refused: requeue it, or state with proof that it was done',
    },
    {
      of: 'refund DONE or NONE',
      pending: 'allowed',
      errored: 'allowed',
    },
  ],
  createHandler: ({ energy }) => createEnergyCancel(energy),
};

/** Three tries, a question after each of them at worst, and the pauses. */
export const refundDeadlineMs = (timeoutMs: number): number => 7 * timeoutMs + 2_000;

export function createEnergyCancel({
  database,
  energy,
  clock,
  timeoutMs,
}: EnergyDependencies): EventHandler<Payload> {
  return {
    definition: energyCancel,
    limits: { deadlineMs: refundDeadlineMs(timeoutMs), maxSnoozeMs: 30 * 60_000 },

    async handle(event, context) {
      const { orderId, reason } = event.payload;
      if (!(await database.manager.existsBy(BoxOrder, { id: orderId }))) return orderGone(orderId);
      const wanted = refundFor(event.payload, reason);
      const result = await refund({ database, energy, clock }, wanted, event, context);
      if (result.kind === 'answer') return result.answer;
      if (result.kind === 'refunded')
        return { kind: 'done', outcome: 'applied', note: result.note, effect: refunded(orderId, wanted) };
      const closed = await closePayment(energy, wanted.outTradeNo, result.inDoubt, context);
      if (closed.kind === 'answer') return closed.answer;
      if (closed.kind === 'paid') return contradiction(result.inDoubt);
      return {
        kind: 'done',
        outcome: 'applied',
        note: 'there was no payment; its number is closed',
        effect: nothingToRefund(orderId, wanted.outTradeNo),
      };
    },

    ask: ({ orderNo }, context) => findRefund(energy, outTradeNo(orderNo), outRefundNo(orderNo), context),
    onStatedDone: (tx, payload) => refunded(payload.orderId, refundFor(payload, payload.reason))(tx),
    async refuseDiscard(queryable, event) {
      const order = await orderOf(queryable, event);
      return order ? whileOwed(order, event) : ORDER_GONE;
    },
  };
}
