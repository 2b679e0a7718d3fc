import type { z } from 'zod';
import type { Clock } from '../base/clock.js';
import type { EnergyClient } from '../clients/energy.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import type { EventDefinition, EventHandler } from '../outbox/types.js';
import { orderGone } from './answer.js';
import { closePayment } from './close-payment.js';
import { findRefund } from './find-refund.js';
import { dedupeOf, energyKey, exampleOrder, outRefundNo, outTradeNo, refundOrder } from './payloads.js';
import { contradiction, nothingToRefund, refund, refunded } from './refund.js';
import { ORDER_GONE, orderOf, whileOwed } from './refuse-discard.js';

type Payload = z.infer<typeof refundOrder>;

/** Gives the points of an ended order back. If it never succeeds, the diner has paid for nothing. */
export const energyCancel: EventDefinition<Payload> = {
  type: 'ENERGY_CENTER_V2_CANCEL',
  target: 'energy',
  version: 1,
  schema: refundOrder,
  example: { ...exampleOrder, userId: 'u1', amountInCent: 2300, reason: 'USER_CANCEL' },
  dedupeKey: ({ orderNo, repair }) => dedupeOf(orderNo, repair),
  orderingKey: ({ orderNo }) => energyKey(orderNo),
};

export interface EnergyDependencies {
  readonly database: Database;
  readonly energy: EnergyClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Three tries, each followed by a question at worst, and the pauses. */
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
      const { orderId, orderNo, userId, amountInCent, reason } = event.payload;
      if (!(await database.manager.existsBy(BoxOrder, { id: orderId }))) return orderGone(orderId);
      const wanted = {
        outRefundNo: outRefundNo(orderNo),
        outTradeNo: outTradeNo(orderNo),
        userId,
        amountInCent,
        reason,
      };
      const result = await refund({ database, energy, clock }, wanted, event, context);
      if (result.kind === 'answer') return result.answer;
      if (result.kind === 'refunded') {
        return {
          kind: 'done',
          outcome: 'applied',
          note: result.note,
          effect: refunded(orderId, wanted),
        };
      }
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
    onStatedDone: (tx, { orderId, orderNo, amountInCent }) =>
      refunded(orderId, { amountInCent, outRefundNo: outRefundNo(orderNo) })(tx),
    async refuseDiscard(queryable, event) {
      const order = await orderOf(queryable, event);
      return order ? whileOwed(order, event) : ORDER_GONE;
    },
  };
}
