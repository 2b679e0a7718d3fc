import type { Unknown } from '../clients/outcome.js';
import type { BoxOrder } from '../entities/box-order.js';
import { learnMeicanOrderId, toOrdered, writeStep } from '../orders/order.js';
import type { HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext, usualAnswer } from './answer.js';
import type { MeicanDependencies } from './dependencies.js';
import { findAtMeican, ownedByAnother, untilSettled } from './find-at-meican.js';

/** An earlier attempt may have placed the meal. Null: it did not, and the meal may be placed. */
export async function resolveEarlier(
  { database, meican, settleMs }: MeicanDependencies,
  order: BoxOrder,
  unknownAt: Date,
  context: HandlerContext,
): Promise<HandlerOutcome | null> {
  const found = await findAtMeican(database, meican, order, callContext(context, order));
  if (found.kind !== 'applied') return askedInVain(found);
  if (found.value.ours) return adopt(order, found.value.ours, 'found in the day list');
  return untilSettled(unknownAt, settleMs, context.now());
}

export async function placeAtMeican(
  dependencies: MeicanDependencies,
  order: BoxOrder,
  context: HandlerContext,
): Promise<HandlerOutcome> {
  const { database, meican } = dependencies;
  const outcome = await meican.addOrder(mealOf(order), callContext(context, order));
  if (outcome.kind === 'unknown') return lookAtOnce(dependencies, order, outcome, context);
  if (outcome.kind !== 'applied') return usualAnswer(outcome);
  if (outcome.value.multi) return resolveMulti(dependencies, order, context);
  if (await ownedByAnother(database, outcome.value.orderId, order.id)) {
    return {
      kind: 'retry',
      failure: {
        outcome: 'unknown',
        code: 'ID_OF_ANOTHER_ORDER',
        message: 'Meican answered with the id of another order of ours',
      },
    };
  }
  return adopt(order, outcome.value.orderId, 'placed');
}

/**
 * The call's outcome is unknown. A meal that the day list shows is ours; one that it does not show may appear
 * later.
 */
async function lookAtOnce(
  { database, meican }: MeicanDependencies,
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

/**
 * Meican says that the diner has an order for this meal. It is ours only if the day list shows it with our
 * dish and no other order of ours has its id.
 */
async function resolveMulti(
  { database, meican }: MeicanDependencies,
  order: BoxOrder,
  context: HandlerContext,
): Promise<HandlerOutcome> {
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
      // The order ended while Meican answered: the cancel event behind this one needs the id.
      if (await learnMeicanOrderId(tx, order.id, meicanOrderId))
        await writeStep(tx, order.id, 'meican-order-known', { meicanOrderId });
    },
  };
}

function mealOf(order: BoxOrder) {
  const {
    corp,
    email,
    realName,
    addressId,
    edibleDate: mealDate,
    mealType,
    meicanDishId,
    priceInCent,
  } = order;
  return { corp, email, realName, addressId, mealDate, mealType, meicanDishId, priceInCent };
}
