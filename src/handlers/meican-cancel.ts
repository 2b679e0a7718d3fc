import { z } from 'zod';
import { BoxOrder } from '../entities/box-order.js';
import { findEventOf } from '../operate/find.js';
import { markMeicanCancelled, writeStep } from '../orders/order.js';
import type { EventHandler } from '../outbox/types.js';
import { orderGone } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import { isGone, isLost } from './discard-meican-cancel.js';
import type { EventType } from './event-type.js';
import { findingAtMeican } from './find-at-meican.js';
import { dedupeOf, exampleOrder, meicanKey, orderRef, placementType, repair } from './payloads.js';
import { orderOf } from './refuse-discard.js';
import { findAndRemove, removeFromMeican } from './remove-from-meican.js';

/**
 * `lookUntil`: a ghost sweep. The placement was given up with its outcome unknown; the meal is looked for
 * until then.
 * `meicanOrderId`: a meal that the comparison of the books found, which may not be the one that the order
 * names.
 */
const payload = orderRef.extend({
  lookUntil: z.iso.datetime().optional(),
  meicanOrderId: z.string().min(1).optional(),
  repair,
});
type Payload = z.infer<typeof payload>;

/** Takes a cancelled order off Meican's books. */
export const meicanCancel: EventType<Payload> = {
  type: 'MEICAN_V2_CANCEL',
  target: 'meican',
  version: 1,
  schema: payload,
  example: exampleOrder,
  dedupeKey: ({ orderNo, lookUntil, repair: nth }) =>
    lookUntil ? `${orderNo}:ghost` : dedupeOf(orderNo, nth),
  orderingKey: ({ orderNo }) => meicanKey(orderNo),
  words: {
    zh: {
      name: '美餐取消',
      does: '把已取消的订单从美餐撤下。',
      ifNever: '美餐会做一份没人付钱的饭。',
      affects: '公司损失一餐；用户的钱不受影响。',
    },
    en: {
      name: 'Cancel at Meican',
      does: 'Takes a cancelled order off Meican’s books.',
      ifNever: 'Meican cooks a meal that nobody paid for.',
      affects: 'The company loses a meal; the diner’s points are not affected.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'Meican has confirmed that the meal is gone',
      pending: 'allowed',
      errored: 'allowed',
    },
    {
      of: 'the meal may be there',
      pending: 'refused: let it go on',
      errored:
        'refused (requeue it, or state with proof that it was done), unless Meican **refused for good** or the cut-off has passed: then the person accepts the loss of the meal, which stays in the order’s story (`meal-loss-accepted`) and is no difference of the books any more',
    },
  ],
  alerts: { lossCodes: ['ORDER_CLOSED'] },
  createHandler: ({ meican }) => createMeicanCancel(meican),
};

export function createMeicanCancel(dependencies: MeicanDependencies): EventHandler<Payload> {
  const { database, meican, timeoutMs } = dependencies;
  return {
    definition: meicanCancel,
    // Every snooze ends by the settle window or `lookUntil`.
    limits: { deadlineMs: 3 * timeoutMs + 2_000, maxSnoozeMs: 60 * 86_400_000 },

    async handle(event, context) {
      const order = await database.manager.findOneBy(BoxOrder, { id: event.payload.orderId });
      if (!order) return orderGone(event.payload.orderId);
      const known = event.payload.meicanOrderId ?? order.meicanOrderId;
      if (known !== null) return removeFromMeican(dependencies, order, known, context);
      const placement = await findEventOf(database.manager, placementType, order.id);
      if (!placement?.unknownAt)
        return { kind: 'done', outcome: 'not-applied', note: 'nothing was ever sent to Meican' };
      const { lookUntil } = event.payload;
      return findAndRemove(dependencies, order, { unknownAt: placement.unknownAt, lookUntil }, context);
    },

    // The finding says whether Meican has the meal; this event is applied when it does not.
    async ask({ orderId }, context) {
      const { outcome, text } = await findingAtMeican(database, meican, orderId, context);
      return {
        text,
        outcome: outcome === 'applied' ? 'not-applied' : outcome === 'not-applied' ? 'applied' : 'unknown',
      };
    },
    async onStatedDone(tx, { orderId }) {
      if (await markMeicanCancelled(tx, orderId))
        await writeStep(tx, orderId, 'meican-cancelled', { stated: true });
    },
    async refuseDiscard(queryable, event) {
      const order = await orderOf(queryable, event);
      if (!order)
        return 'its order is gone, so nobody can tell what Meican cooks: settle it as done with proof';
      if (isGone(order, event) || (await isLost(queryable, order, event))) return null;
      return event.status === 'pending'
        ? 'Meican may still cook this meal: let it go on'
        : 'Meican may still take this meal back: requeue it, or settle it as done with proof';
    },
    // The meal is cooked and cannot be cancelled: the person who discards accepts the loss, and the order's
    // story keeps that.
    async onDiscarded(tx, event) {
      const order = await orderOf(tx, event);
      if (!order || isGone(order, event)) return;
      await writeStep(tx, order.id, 'meal-loss-accepted', {
        meicanOrderId: event.payload?.meicanOrderId ?? order.meicanOrderId,
      });
    },
  };
}
