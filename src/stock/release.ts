import type { Tx } from '../database/database.js';
import { sql } from '../database/sql.js';
import { inOrder, type Reservation } from './reserve.js';

/**
 * Gives back what these orders held. Only in the transaction whose conditional UPDATE ended them, and last in it.
 * `remaining <= stock` is a constraint of the table: giving back twice fails loudly.
 */
export async function release(tx: Tx, reservations: readonly Reservation[]): Promise<void> {
  for (const id of inOrder(reservations.map((reservation) => reservation.sideboardId))) {
    await tx.execute(sql`UPDATE box_sideboard SET remaining = remaining + 1 WHERE id = ${id}`);
  }
  for (const id of inOrder(reservations.map((reservation) => reservation.dishId))) {
    await tx.execute(sql`UPDATE box_dish SET remaining = remaining + 1 WHERE id = ${id}`);
  }
}
