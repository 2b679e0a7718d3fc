import type { Tx } from '../database/database.js';
import { type Move, moveOne, type StockMoves } from './move.js';
import { inOrder, next, type Reservation } from './reserve.js';

/**
 * Gives back what these orders held; says what that did to the stock, order by order. Only in the transaction whose conditional UPDATE
 * ended them, and late in it. `remaining <= stock` is a constraint of the table: giving back twice fails loudly.
 */
export async function release(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  const sideboards = await giveBack(
    tx,
    'box_sideboard',
    reservations.map((reservation) => reservation.sideboardId),
  );
  const dishes = await giveBack(
    tx,
    'box_dish',
    reservations.map((reservation) => reservation.dishId),
  );
  return reservations.map(({ dishId, sideboardId }) => ({ dish: next(dishes, dishId), sideboard: next(sideboards, sideboardId) }));
}

async function giveBack(tx: Tx, table: 'box_dish' | 'box_sideboard', ids: readonly string[]): Promise<Move[]> {
  const moves: Move[] = [];
  for (const id of inOrder(ids)) moves.push((await moveOne(tx, table, id, 1)) ?? { id, before: 0, after: 0 });
  return moves;
}
