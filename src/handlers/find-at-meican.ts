import type { ListedOrder, MeicanClient } from '../clients/meican.js';
import { applied, type Outcome } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';

export interface FoundAtMeican {
  /** An order that can only be ours: same diner and meal, same dish, not known to belong to another order of ours. */
  readonly ours: string | null;
  /** The diner has an order for this meal that is not ours. */
  readonly foreign: boolean;
}

/** Looks for an order in Meican's list of its day. Fields that the list leaves out are not held against a match. */
export async function findAtMeican(database: Database, meican: MeicanClient, order: BoxOrder, context: CallContext): Promise<Outcome<FoundAtMeican>> {
  const listed = await meican.listOrders(order.corp, order.edibleDate, context);
  if (listed.kind !== 'applied') return listed;
  const sameMeal = listed.value.filter(
    (candidate) => candidate.email.toLowerCase() === order.email.toLowerCase() && (candidate.mealType === null || candidate.mealType === order.mealType),
  );
  for (const candidate of sameMeal) {
    if (dishMatches(candidate, order) && !(await ownedByAnother(database, candidate.orderId, order.id)))
      return applied({ ours: candidate.orderId, foreign: false });
  }
  return applied({ ours: null, foreign: sameMeal.length > 0 });
}

export async function ownedByAnother(database: Database, meicanOrderId: string, orderId: string): Promise<boolean> {
  const owner = await database.manager.findOneBy(BoxOrder, { meicanOrderId });
  return owner !== null && owner.id !== orderId;
}

function dishMatches(candidate: ListedOrder, order: BoxOrder): boolean {
  if (candidate.dishes.length === 0) return true;
  return candidate.dishes.some(({ dishId, name }) => (dishId === null ? name === null || name === order.dishName : dishId === order.meicanDishId));
}
