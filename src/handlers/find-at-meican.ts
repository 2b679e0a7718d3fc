import type { MeicanClient } from '../clients/meican.js';
import type { ListedOrder } from '../clients/meican-answers.js';
import { applied, type Outcome } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import type { AskContext, Finding, HandlerOutcome } from '../outbox/types.js';
import { callContext, noFinding } from './answer.js';

export interface FoundAtMeican {
  /**
   * The id of the meal that can only be this order's: same diner, meal and dish, and no other order of ours
   * has its id.
   */
  readonly ours: string | null;
  /** The diner has a meal there that is not ours. */
  readonly foreign: boolean;
}

/**
 * Looks for an order in Meican's list of its day. A field that the list leaves out does not prevent a match.
 */
export async function findAtMeican(
  database: Database,
  meican: MeicanClient,
  order: BoxOrder,
  context: CallContext,
): Promise<Outcome<FoundAtMeican>> {
  const listed = await meican.listOrders(order.corp, order.edibleDate, context);
  if (listed.kind !== 'applied') return listed;
  const sameMeal = listed.value.filter(
    (candidate) =>
      candidate.email.toLowerCase() === order.email.toLowerCase() &&
      (candidate.mealType === null || candidate.mealType === order.mealType),
  );
  for (const candidate of sameMeal) {
    if (dishMatches(candidate, order) && !(await ownedByAnother(database, candidate.orderId, order.id)))
      return applied({ ours: candidate.orderId, foreign: false });
  }
  return applied({ ours: null, foreign: sameMeal.length > 0 });
}

/** For a person who asks. Applied: Meican has the meal. */
export async function findingAtMeican(
  database: Database,
  meican: MeicanClient,
  orderId: string,
  context: AskContext,
): Promise<Finding> {
  const order = await database.manager.findOneBy(BoxOrder, { id: orderId });
  if (!order) return { outcome: 'unknown', text: `there is no order ${orderId}` };
  const listed = await meican.listOrders(order.corp, order.edibleDate, callContext(context, order));
  if (listed.kind !== 'applied') return noFinding(listed);
  if (order.meicanOrderId !== null) {
    const has = listed.value.some((meal) => meal.orderId === order.meicanOrderId);
    return {
      outcome: has ? 'applied' : 'not-applied',
      text: `Meican ${has ? 'has' : 'does not have'} ${order.meicanOrderId}`,
    };
  }
  const found = await findAtMeican(database, meican, order, callContext(context, order));
  if (found.kind !== 'applied') return noFinding(found);
  if (found.value.ours)
    return { outcome: 'applied', text: `Meican has ${found.value.ours} for this diner, meal and dish` };
  return {
    outcome: 'not-applied',
    text: found.value.foreign
      ? 'Meican has another order of this diner for this meal'
      : 'Meican has no order of this diner for this meal',
  };
}

export async function ownedByAnother(
  database: Database,
  meicanOrderId: string,
  orderId: string,
): Promise<boolean> {
  const owner = await database.manager.findOneBy(BoxOrder, { meicanOrderId });
  return owner !== null && owner.id !== orderId;
}

function dishMatches(candidate: ListedOrder, order: BoxOrder): boolean {
  if (candidate.dishes.length === 0) return true;
  return candidate.dishes.some(({ dishId, name }) =>
    dishId === null ? name === null || name === order.dishName : dishId === order.meicanDishId,
  );
}

/**
 * Snoozes while the day list may lag: a meal that it does not show is proven absent only `settleMs` after the
 * last doubtful call. Null: the window is over.
 */
export function untilSettled(unknownAt: Date, settleMs: number, now: Date): HandlerOutcome | null {
  const settledInMs = unknownAt.getTime() + settleMs - now.getTime();
  if (settledInMs <= 0) return null;
  return {
    kind: 'snooze',
    afterMs: settledInMs,
    outcome: 'unknown',
    reason: 'not in the day list yet; the list may lag',
    sentNothing: true,
  };
}
