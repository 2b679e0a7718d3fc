import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';

const NUMBER = /^[A-Za-z0-9_-]{1,64}$/;
const ID = /^\d{1,19}$/;

/**
 * By its number, else by its id: what a person has at hand. Throws Problem `not-found`. What is no id is not asked for as one: MySQL takes
 * `12abc` for 12, and would show another diner's order.
 */
export async function findOrder(database: Database, wanted: string): Promise<BoxOrder> {
  const byNumber = NUMBER.test(wanted)
    ? await database.manager.findOneBy(BoxOrder, { orderNo: wanted })
    : null;
  const order =
    byNumber ?? (ID.test(wanted) ? await database.manager.findOneBy(BoxOrder, { id: wanted }) : null);
  if (!order) throw new Problem('not-found', { detail: `there is no order ${wanted}` });
  return order;
}
