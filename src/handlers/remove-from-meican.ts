import type { BoxOrder } from '../entities/box-order.js';
import { learnMeicanOrderId, markMeicanCancelled, writeStep } from '../orders/order.js';
import type { HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext, usualAnswer } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import { findAtMeican, untilSettled } from './find-at-meican.js';

const GHOST_LOOK_MIN_MS = 15_000;
const GHOST_LOOK_MAX_MS = 5 * 60_000;

/** A placement without an answer. `lookUntil`: it was given up, and its meal is looked for until then. */
interface Doubtful {
  readonly unknownAt: Date;
  readonly lookUntil: string | undefined;
}

/** OK and NOT_FOUND both mean that Meican no longer has the meal, because the id is known to have existed. */
export async function removeFromMeican(
  { meican }: MeicanDependencies,
  order: BoxOrder,
  meicanOrderId: string,
  context: HandlerContext,
): Promise<HandlerOutcome> {
  const outcome = await meican.cancelOrder(order.corp, meicanOrderId, callContext(context, order));
  // The day list may lag, so it proves nothing of this cancel. An answer shows the breaker that Meican is up
  // and only this call fails.
  if (outcome.kind === 'unknown')
    await meican.listOrders(order.corp, order.edibleDate, callContext(context, order));
  if (outcome.kind !== 'applied') return usualAnswer(outcome);
  return {
    kind: 'done',
    outcome: 'applied',
    note: outcome.duplicate ? 'Meican no longer had it' : 'cancelled at Meican',
    effect: async (tx) => {
      // Another meal than the one that the order names is gone: the order itself does not change.
      if (order.meicanOrderId !== null && order.meicanOrderId !== meicanOrderId)
        return writeStep(tx, order.id, 'meican-cancelled', { meicanOrderId });
      await learnMeicanOrderId(tx, order.id, meicanOrderId);
      if (await markMeicanCancelled(tx, order.id))
        await writeStep(tx, order.id, 'meican-cancelled', { meicanOrderId });
    },
  };
}

/**
 * The placement may have happened: look the meal up, then remove it, or be done once its absence is proven.
 */
export async function findAndRemove(
  dependencies: MeicanDependencies,
  order: BoxOrder,
  { unknownAt, lookUntil }: Doubtful,
  context: HandlerContext,
): Promise<HandlerOutcome> {
  const { database, meican, settleMs } = dependencies;
  const found = await findAtMeican(database, meican, order, callContext(context, order));
  if (found.kind !== 'applied') return askedInVain(found);
  if (found.value.ours) {
    const meicanOrderId = found.value.ours;
    await context.step(async (tx) => {
      if (await learnMeicanOrderId(tx, order.id, meicanOrderId))
        await writeStep(tx, order.id, 'meican-order-known', { meicanOrderId });
    });
    return removeFromMeican(dependencies, order, meicanOrderId, context);
  }
  const at = context.now();
  return untilSettled(unknownAt, settleMs, at) ?? lookAgain(lookUntil, at);
}

/** A ghost sweep looks until its end; any other cancel is done. */
function lookAgain(lookUntil: string | undefined, at: Date): HandlerOutcome {
  const leftMs = lookUntil ? Date.parse(lookUntil) - at.getTime() : 0;
  if (leftMs <= 0) return { kind: 'done', outcome: 'not-applied', note: 'Meican never had it' };
  return {
    kind: 'snooze',
    afterMs: Math.min(Math.max(leftMs / 20, GHOST_LOOK_MIN_MS), GHOST_LOOK_MAX_MS, leftMs),
    outcome: 'unknown',
    reason: `looking for a ghost until ${lookUntil}`,
    sentNothing: true,
  };
}
