import type { Tx } from '../database/database.js';
import { sql } from '../database/sql.js';
import { moveAll, type Reservation, type StockMoves } from './move.js';

export class SoldOut extends Error {
  override readonly name = 'SoldOut';
  constructor(
    readonly what: 'dish' | 'sideboard',
    readonly id: string,
  ) {
    super(`no more of this ${what}`);
  }
}

/**
 * Says what that did to the stock, order by order. Takes one dish and one cabinet slot for each reservation, or throws SoldOut, upon which the transaction must roll back.
 * The last statements of their transaction: a hot dish stays locked for the shortest time. By primary key and in its order, so
 * that two transactions never wait for each other.
 */
export async function reserve(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, -1, sql`AND remaining >= 1 AND withdrawn = 0`, (what, id) => {
    throw new SoldOut(what, id);
  });
}
