import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';

const NUMBER = /^[A-Za-z0-9_-]{1,64}$/;
const ID = /^\d{1,19}$/;

/**
 * By its number, else by its id. Throws Problem `not-found`. Text that is no id is not looked up as an id:
 * MySQL takes `12abc` for 12, and would show another diner's order.
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
