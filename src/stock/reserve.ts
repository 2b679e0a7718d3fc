import type { Tx } from '../database/database.js';
import { sql } from '../database/sql.js';

export interface Reservation {
  readonly dishId: string;
  readonly sideboardId: string;
}

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
 * Takes one dish and one cabinet slot for each reservation, or throws SoldOut, upon which the transaction must roll back.
 * The last statements of their transaction: a hot dish stays locked for the shortest time. By primary key and in its order, so
 * that two transactions never wait for each other.
 */
export async function reserve(tx: Tx, reservations: readonly Reservation[]): Promise<void> {
  for (const id of inOrder(reservations.map((reservation) => reservation.sideboardId))) {
    const { affected } = await tx.execute(sql`UPDATE box_sideboard SET remaining = remaining - 1 WHERE id = ${id} AND remaining >= 1 AND withdrawn = 0`);
    if (affected !== 1) throw new SoldOut('sideboard', id);
  }
  for (const id of inOrder(reservations.map((reservation) => reservation.dishId))) {
    const { affected } = await tx.execute(sql`UPDATE box_dish SET remaining = remaining - 1 WHERE id = ${id} AND remaining >= 1 AND withdrawn = 0`);
    if (affected !== 1) throw new SoldOut('dish', id);
  }
}

export function inOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
}
