import type { z } from 'zod';
import type { Unknown } from '../clients/outcome.js';
import type { Tx } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { endOrder, learnMeicanOrderId, toOrdered, writeStep } from '../orders/order.js';
import { releaseStock } from '../orders/stock.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, EventHandler, Failure, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext, orderGone, usualAnswer } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import { dinerCard } from './diner-card.js';
import { energyCancel } from './energy-cancel.js';
import type { EventType } from './event-type.js';
import { findAtMeican, findingAtMeican, ownedByAnother } from './find-at-meican.js';
import { meicanCancel } from './meican-cancel.js';
import { dedupeOf, exampleOrder, meicanKey, orderRef, placementType, repair } from './payloads.js';

const payload = orderRef.extend({ repair });
type Payload = z.infer<typeof payload>;

/** Places a paid order at Meican. If it never succeeds: ORDER_ERROR, stock back, points back, a card to the diner. */
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

/** How long after the cut-off a ghost is still looked for. */
const GHOST_SWEEP_MS = 30 * 60_000;

/** What ends it: its last failure, or a person. Its order is found even when nobody can read the payload any more. */
type GivenUp = Pick<ClaimedEvent, 'subjectId' | 'unknownAt' | 'requestId' | 'traceparent'> & {
  readonly payload: Payload | null;
};

export function createMeicanNewOrder(dependencies: MeicanDependencies): EventHandler<Payload> {
  const { database, meican, settleMs, timeoutMs } = dependencies;

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
      const earlier = event.unknownAt ? await resolveEarlier(order, event.unknownAt, context) : null;
      if (earlier) return earlier;
      if (context.now() >= order.cutoffAt)
        return {
          kind: 'give-up',
          failure: {
            outcome: 'not-applied',
            code: 'cutoff-passed',
            message: 'the cut-off passed before the order could be placed',
            sentNothing: true,
          },
        };
      return place(order, context);
    },

    onErrored: (tx, event, failure) => compensate(tx, event, failure),
    ask: ({ orderId }, context) => findingAtMeican(database, meican, orderId, context),
    refuseDiscard: async () => null,
    // As a give-up: the order ends, stock and points go back, the diner is told, and what may have been placed is looked for.
    onDiscarded: (tx, event) =>
      compensate(tx, event, {
        outcome: event.unknownAt ? 'unknown' : 'not-applied',
        code: 'discarded',
        message: 'given up by a person',
      }),
  };

  /** An earlier attempt may have placed it. Null: it did not, and the way is free. */
  async function resolveEarlier(
    order: BoxOrder,
    unknownAt: Date,
    context: HandlerContext,
  ): Promise<HandlerOutcome | null> {
    const found = await findAtMeican(database, meican, order, callContext(context, order));
    if (found.kind !== 'applied') return askedInVain(found);
    if (found.value.ours) return adopt(order, found.value.ours, 'found in the day list');
    const settledInMs = unknownAt.getTime() + settleMs - context.now().getTime();
    if (settledInMs > 0)
      return {
        kind: 'snooze',
        afterMs: settledInMs,
        outcome: 'unknown',
        reason: 'not in the day list yet; the list may lag',
        sentNothing: true,
      };
    return null;
  }

  async function place(order: BoxOrder, context: HandlerContext): Promise<HandlerOutcome> {
    const outcome = await meican.addOrder(
      {
        corp: order.corp,
        email: order.email,
        realName: order.realName,
        addressId: order.addressId,
        mealDate: order.edibleDate,
        mealType: order.mealType,
        meicanDishId: order.meicanDishId,
        priceInCent: order.priceInCent,
      },
      callContext(context, order),
    );
    if (outcome.kind === 'unknown') return lookAtOnce(order, outcome, context);
    if (outcome.kind !== 'applied') return usualAnswer(outcome);
    if (outcome.value.multi) return resolveMulti(order, context);
    if (await ownedByAnother(database, outcome.value.orderId, order.id)) {
      return {
        kind: 'retry',
        failure: {
          outcome: 'unknown',
          code: 'ID_OF_ANOTHER_ORDER',
          message: `Meican answered with the id of another order of ours`,
        },
      };
    }
    return adopt(order, outcome.value.orderId, 'placed');
  }

  /** Nobody knows what the call did. What the day list shows already is ours; what it does not show may still come. */
  async function lookAtOnce(
    order: BoxOrder,
    outcome: Unknown,
    context: HandlerContext,
  ): Promise<HandlerOutcome> {
    const found = await findAtMeican(database, meican, order, callContext(context, order));
    if (found.kind !== 'applied') return askedInVain(found, { sent: true });
    return found.value.ours
      ? adopt(order, found.value.ours, 'placed; found in the day list')
      : usualAnswer(outcome);
  }

  /** Meican says that the diner has an order for this meal. Ours only if it is in the list with our dish and nobody else's. */
  async function resolveMulti(order: BoxOrder, context: HandlerContext): Promise<HandlerOutcome> {
    const found = await findAtMeican(database, meican, order, callContext(context, order));
    if (found.kind !== 'applied') return askedInVain(found, { sent: true });
    if (found.value.ours) return adopt(order, found.value.ours, 'Meican had it already');
    if (found.value.foreign)
      return {
        kind: 'give-up',
        failure: {
          outcome: 'rejected',
          code: 'FOREIGN_ORDER',
          message: 'the diner has another order at Meican for this meal',
        },
      };
    return {
      kind: 'retry',
      failure: {
        outcome: 'unknown',
        code: 'MULTI_ORDER',
        message: 'Meican has an order for this meal that its day list does not show yet',
      },
    };
  }

  function adopt(order: BoxOrder, meicanOrderId: string, note: string): HandlerOutcome {
    return {
      kind: 'done',
      outcome: 'applied',
      note,
      effect: async (tx) => {
        if (await toOrdered(tx, order.id, meicanOrderId))
          return writeStep(tx, order.id, 'ordered', { meicanOrderId });
        // The order ended while Meican answered: keep the id, so that the cancel event behind us can use it.
        if (await learnMeicanOrderId(tx, order.id, meicanOrderId))
          await writeStep(tx, order.id, 'meican-order-known', { meicanOrderId });
      },
    };
  }

  async function compensate(tx: Tx, event: GivenUp, failure: Failure): Promise<void> {
    const order = await tx.manager.findOneBy(BoxOrder, {
      id: event.payload?.orderId ?? event.subjectId ?? '',
    });
    if (!order) return;
    if (
      !(await endOrder(tx, order.id, {
        to: 'ORDER_ERROR',
        from: ['ORDERING'],
        refund: 'PENDING',
        reason: failure.code,
      }))
    )
      return;
    await writeStep(tx, order.id, 'order-error', {
      code: failure.code,
      released: { dishId: order.dishId, sideboardId: order.sideboardId },
    });
    const about = {
      subjectId: order.id,
      subjectNo: order.orderNo,
      requestId: event.requestId,
      traceparent: event.traceparent,
    };
    await record(
      tx,
      energyCancel,
      {
        orderId: order.id,
        orderNo: order.orderNo,
        userId: order.userId,
        amountInCent: order.priceInCent,
        reason: 'ORDER_ERROR',
      },
      about,
    );
    await record(
      tx,
      dinerCard,
      {
        orderId: order.id,
        orderNo: order.orderNo,
        userId: order.userId,
        dishName: order.dishName,
        edibleDate: order.edibleDate,
        mealType: order.mealType,
      },
      about,
    );
    if (event.unknownAt || failure.outcome === 'unknown') {
      const lookUntil = new Date(order.cutoffAt.getTime() + GHOST_SWEEP_MS).toISOString();
      await record(tx, meicanCancel, { orderId: order.id, orderNo: order.orderNo, lookUntil }, about);
    }
    await releaseStock(tx, [order]);
  }
}
