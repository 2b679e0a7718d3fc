import { z } from 'zod';
import type { Queryable } from '../database/database.js';
import { fromSqlInstant, now, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { findEventOf } from '../operate/find.js';
import { learnMeicanOrderId, markMeicanCancelled, writeStep } from '../orders/order.js';
import type {
  ClaimedEvent,
  EventHandler,
  HandlerContext,
  HandlerOutcome,
  OpenEvent,
} from '../outbox/types.js';
import { askedInVain, callContext, orderGone, usualAnswer } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { findAtMeican, findingAtMeican } from './find-at-meican.js';
import { dedupeOf, exampleOrder, meicanKey, orderRef, placementType, repair } from './payloads.js';
import { orderOf } from './refuse-discard.js';

/**
 * `lookUntil`: a ghost sweep. The placement was given up with its outcome unknown; keep looking for it until then.
 * `meicanOrderId`: a meal that the comparison of the books found, whatever the order itself names.
 */
const payload = orderRef.extend({
  lookUntil: z.iso.datetime().optional(),
  meicanOrderId: z.string().min(1).optional(),
  repair,
});
type Payload = z.infer<typeof payload>;

/** Takes a cancelled order off Meican's books. If it never succeeds, Meican cooks a meal that nobody paid for. */
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

const GHOST_LOOK_MIN_MS = 15_000;
const GHOST_LOOK_MAX_MS = 5 * 60_000;

export function createMeicanCancel({
  database,
  meican,
  settleMs,
  timeoutMs,
}: MeicanDependencies): EventHandler<Payload> {
  return {
    definition: meicanCancel,
    limits: { deadlineMs: 3 * timeoutMs + 2_000, maxSnoozeMs: 60 * 86_400_000 }, // every snooze below ends by the settle window or `lookUntil`

    async handle(event, context) {
      const order = await database.manager.findOneBy(BoxOrder, { id: event.payload.orderId });
      if (!order) return orderGone(event.payload.orderId);
      const known = event.payload.meicanOrderId ?? order.meicanOrderId;
      if (known !== null) return remove(order, known, context);
      const placement = await findEventOf(database.manager, placementType, order.id);
      if (!placement?.unknownAt)
        return { kind: 'done', outcome: 'not-applied', note: 'nothing was ever sent to Meican' };
      return lookFor(order, placement.unknownAt, event, context);
    },

    // The question is whether Meican has the meal; that it has not is what this event wants.
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
    // Nobody eats it and nobody can stop it: whoever discards it accepts the loss, and the books keep that.
    async onDiscarded(tx, event) {
      const order = await orderOf(tx, event);
      if (!order || isGone(order, event)) return;
      await writeStep(tx, order.id, 'meal-loss-accepted', {
        meicanOrderId: event.payload?.meicanOrderId ?? order.meicanOrderId,
      });
    },
  };

  /** Meican has confirmed already that it no longer has what this event would remove. */
  function isGone(order: BoxOrder, { payload: of }: OpenEvent<Payload>): boolean {
    return (
      order.meicanCancelledAt !== null && (of?.meicanOrderId ?? order.meicanOrderId) === order.meicanOrderId
    );
  }

  /** Meican refused for good, or it is too late: the meal is cooked whatever we do. */
  async function isLost(
    queryable: Queryable,
    order: BoxOrder,
    { status, outcome }: OpenEvent<Payload>,
  ): Promise<boolean> {
    if (status !== 'errored') return false;
    if (outcome === 'rejected') return true;
    const [clock] = await queryable.query<{ now: unknown }>(sql`SELECT ${now} AS now`);
    return fromSqlInstant(clock?.now) >= order.cutoffAt;
  }

  /** OK and NOT_FOUND both mean: Meican no longer has it. The id is one that we know to have existed. */
  async function remove(
    order: BoxOrder,
    meicanOrderId: string,
    context: HandlerContext,
  ): Promise<HandlerOutcome> {
    const outcome = await meican.cancelOrder(order.corp, meicanOrderId, callContext(context, order));
    // The day list may lag, so that it proves nothing of this cancel. It tells whether Meican answers at all, or this call alone fails.
    if (outcome.kind === 'unknown')
      await meican.listOrders(order.corp, order.edibleDate, callContext(context, order));
    if (outcome.kind !== 'applied') return usualAnswer(outcome);
    return {
      kind: 'done',
      outcome: 'applied',
      note: outcome.duplicate ? 'Meican no longer had it' : 'cancelled at Meican',
      effect: async (tx) => {
        // A meal besides the one that the order names is gone, and the order itself is as it was.
        if (order.meicanOrderId !== null && order.meicanOrderId !== meicanOrderId)
          return writeStep(tx, order.id, 'meican-cancelled', { meicanOrderId });
        await learnMeicanOrderId(tx, order.id, meicanOrderId);
        if (await markMeicanCancelled(tx, order.id))
          await writeStep(tx, order.id, 'meican-cancelled', { meicanOrderId });
      },
    };
  }

  /** A placement that may have happened: look it up, then remove it, or be done once its absence proves something. */
  async function lookFor(
    order: BoxOrder,
    unknownAt: Date,
    event: ClaimedEvent<Payload>,
    context: HandlerContext,
  ): Promise<HandlerOutcome> {
    const found = await findAtMeican(database, meican, order, callContext(context, order));
    if (found.kind !== 'applied') return askedInVain(found);
    if (found.value.ours) {
      const meicanOrderId = found.value.ours;
      await context.step(async (tx) => {
        if (await learnMeicanOrderId(tx, order.id, meicanOrderId))
          await writeStep(tx, order.id, 'meican-order-known', { meicanOrderId });
      });
      return remove(order, meicanOrderId, context);
    }
    const nowMs = context.now().getTime();
    const settledInMs = unknownAt.getTime() + settleMs - nowMs;
    if (settledInMs > 0)
      return {
        kind: 'snooze',
        afterMs: settledInMs,
        outcome: 'unknown',
        reason: 'not in the day list yet; the list may lag',
        sentNothing: true,
      };
    const leftMs = event.payload.lookUntil ? Date.parse(event.payload.lookUntil) - nowMs : 0;
    if (leftMs <= 0) return { kind: 'done', outcome: 'not-applied', note: 'Meican never had it' };
    const afterMs = Math.min(Math.max(leftMs / 20, GHOST_LOOK_MIN_MS), GHOST_LOOK_MAX_MS, leftMs);
    return {
      kind: 'snooze',
      afterMs,
      outcome: 'unknown',
      reason: `looking for a ghost until ${event.payload.lookUntil}`,
      sentNothing: true,
    };
  }
}
