import type { z } from 'zod';
import { BoxOrder } from '../entities/box-order.js';
import type { EventHandler, HandlerOutcome } from '../outbox/types.js';
import { orderGone } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { findingAtMeican } from './find-at-meican.js';
import { giveUpPlacement } from './give-up-placement.js';
import { dedupeOf, exampleOrder, meicanKey, orderRef, placementType, repair } from './payloads.js';
import { placeAtMeican, resolveEarlier } from './place-at-meican.js';

const payload = orderRef.extend({ repair });
type Payload = z.infer<typeof payload>;

/** Places a paid order at Meican. */
export const meicanNewOrder: EventType<Payload> = {
  type: placementType,
  target: 'meican',
  version: 1,
  schema: payload,
  example: exampleOrder,
  dedupeKey: ({ orderNo, repair: nth }) => dedupeOf(orderNo, nth),
  orderingKey: ({ orderNo }) => meicanKey(orderNo),
  words: {
    zh: {
      name: '美餐下单',
      does: '把已付款的订单下到美餐。',
      ifNever: '订单置为失败，退还能量点和库存，通知用户。',
      affects: '这位用户没有饭。',
    },
    en: {
      name: 'Place at Meican',
      does: 'Places a paid order at Meican.',
      ifNever: 'The order fails: points and stock back, the diner told.',
      affects: 'This diner has no lunch.',
    },
  },
  repeatable: false,
  discard: [
    {
      of: 'ORDERING',
      pending:
        'as a give-up: `ORDER_ERROR`, stock back, refund recorded, the diner told; if an attempt ended unknown, the meal is looked for and cancelled until half an hour after the cut-off',
      errored: 'the same, if its failure has not ended the order already',
    },
    {
      of: 'any other',
      pending: 'nothing follows: it had nothing more to send',
      errored: 'nothing follows',
    },
  ],
  alerts: { surge: { kind: 'placements-failing', what: 'placements' } },
  createHandler: ({ meican }) => createMeicanNewOrder(meican),
};

export function createMeicanNewOrder(dependencies: MeicanDependencies): EventHandler<Payload> {
  const { database, meican, timeoutMs } = dependencies;
  return {
    definition: meicanNewOrder,
    limits: { deadlineMs: 3 * timeoutMs + 2_000, maxSnoozeMs: 24 * 3_600_000, asksUntilDeadline: true },

    async handle(event, context) {
      const order = await database.manager.findOneBy(BoxOrder, { id: event.payload.orderId });
      if (!order) return orderGone(event.payload.orderId);
      if (order.status !== 'ORDERING')
        return {
          kind: 'done',
          outcome: event.unknownAt ? 'unknown' : null,
          note: `nothing to send: the order is ${order.status}`,
        };
      const earlier = event.unknownAt
        ? await resolveEarlier(dependencies, order, event.unknownAt, context)
        : null;
      if (earlier) return earlier;
      return context.now() >= order.cutoffAt ? tooLate() : placeAtMeican(dependencies, order, context);
    },

    onErrored: (tx, event, failure) => giveUpPlacement(tx, event, failure),
    ask: ({ orderId }, context) => findingAtMeican(database, meican, orderId, context),
    refuseDiscard: async () => null,
    onDiscarded: (tx, event) =>
      giveUpPlacement(tx, event, {
        outcome: event.unknownAt ? 'unknown' : 'not-applied',
        code: 'discarded',
        message: 'given up by a person',
      }),
  };
}

function tooLate(): HandlerOutcome {
  return {
    kind: 'give-up',
    failure: {
      outcome: 'not-applied',
      code: 'cutoff-passed',
      message: 'the cut-off passed before the order could be placed',
      sentNothing: true,
    },
  };
}
