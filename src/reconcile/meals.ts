import type { MeicanClient } from '../clients/meican.js';
import type { ListedOrder } from '../clients/meican-answers.js';
import type { CallContext } from '../clients/transport.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { OrderStep } from '../entities/order-step.js';
import { type ComparedOrder, drift, type Part } from './compared.js';
import type { Drift } from './drift.js';

/** The orders of a day against Meican's day lists. `moving` orders are still settling and are not judged. */
export async function compareMeals(
  meican: MeicanClient,
  day: string,
  all: readonly { order: ComparedOrder; moving: boolean }[],
  accepted: ReadonlySet<string | null>,
  context: CallContext,
): Promise<Part> {
  const part: Part = { guilty: [], unanswered: 0 };
  for (const corp of new Set(all.map(({ order }) => order.corp))) {
    const listed = await meican.listOrders(corp, day, context);
    if (listed.kind !== 'applied') {
      part.unanswered += 1;
      continue;
    }
    const ofCorp = all.filter(({ order }) => order.corp === corp);
    const open = listed.value.filter((meal) => !accepted.has(meal.orderId));
    part.guilty.push(
      ...ofCorp
        .filter(({ moving }) => !moving)
        .flatMap(({ order }) => mealDrift(order, order.status === 'ORDERED' ? listed.value : open)),
      ...unknownMeals(ofCorp, open),
    );
  }
  return part;
}

function mealDrift(order: ComparedOrder, listed: readonly ListedOrder[]): Drift[] {
  const cooked = order.meicanOrderId !== null && listed.some((meal) => meal.orderId === order.meicanOrderId);
  if (order.status === 'ORDERED' && !cooked)
    return [drift('meal-missing', order, `${order.status}, but Meican does not have ${order.meicanOrderId}`)];
  if (order.status !== 'ORDERED' && cooked)
    return [
      drift('meal-of-ended-order', order, `${order.status}, but Meican still has ${order.meicanOrderId}`),
    ];
  return [];
}

/**
 * Meals in Meican's list that no order of ours names, for a diner who ordered this meal with us. Other meals
 * are the diner's own affair.
 */
function unknownMeals(
  ofCorp: readonly { order: ComparedOrder; moving: boolean }[],
  listed: readonly ListedOrder[],
): Drift[] {
  const known = new Set(ofCorp.map(({ order }) => order.meicanOrderId));
  return listed
    .filter((meal) => !known.has(meal.orderId))
    .flatMap((meal) => {
      const ours = ofCorp.filter(
        ({ order }) =>
          order.email.toLowerCase() === meal.email.toLowerCase() &&
          (meal.mealType === null || meal.mealType === order.mealType),
      );
      const [first] = ours;
      if (!first || ours.some(({ moving }) => moving)) return [];
      return [
        drift(
          'meal-unknown-to-us',
          first.order,
          `Meican has ${meal.orderId} for this diner and meal; we recorded no such id`,
          { meicanOrderId: meal.orderId },
        ),
      ];
    });
}

/** Meican's ids of meals that Meican would not take back, and whose loss a person has accepted. */
export async function lossesAccepted(database: Database, day: string): Promise<ReadonlySet<string | null>> {
  const rows = await database.manager
    .createQueryBuilder(OrderStep, 's')
    .innerJoin(BoxOrder, 'o', 'o.id = s.orderId')
    .where("o.edibleDate = :day AND s.kind = 'meal-loss-accepted'", { day })
    .getMany();
  return new Set(
    rows.map(({ detail }) => (JSON.parse(detail) as { meicanOrderId: string | null }).meicanOrderId),
  );
}
