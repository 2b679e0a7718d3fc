import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import { Problem } from '../problems.js';

/** By its number, else by its id: what a person has at hand. Throws Problem `not-found`. */
export async function findOrder(database: Database, wanted: string): Promise<BoxOrder> {
  const order = (await database.manager.findOneBy(BoxOrder, { orderNo: wanted })) ?? (await database.manager.findOneBy(BoxOrder, { id: wanted }));
  if (!order) throw new Problem('not-found', { detail: `there is no order ${wanted}` });
  return order;
}
