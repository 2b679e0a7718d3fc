import type { Tx } from '../database/database.js';
import { sql } from '../database/sql.js';
import { moveAll, type Reservation, type StockMoves } from './move.js';

/**
 * Gives back what these orders held; says what that did to the stock, order by order. Only in the transaction whose conditional UPDATE
 * ended them, and late in it. `remaining <= stock` is a constraint of the table: giving back twice fails loudly.
 */
export async function release(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, 1, sql``, (_what, id) => ({ id, before: 0, after: 0 })); // a row that is gone holds nothing
}
