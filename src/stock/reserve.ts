import type { Tx } from '../database/database.js';
import { sql } from '../database/sql.js';
import { type Move, moveOne, type StockMoves } from './move.js';

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
 * Says what that did to the stock, order by order. Takes one dish and one cabinet slot for each reservation, or throws SoldOut, upon which the transaction must roll back.
 * The last statements of their transaction: a hot dish stays locked for the shortest time. By primary key and in its order, so
 * that two transactions never wait for each other.
 */
export async function reserve(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  const sideboards = await take(
    tx,
    'sideboard',
    reservations.map((reservation) => reservation.sideboardId),
  );
  const dishes = await take(
    tx,
    'dish',
    reservations.map((reservation) => reservation.dishId),
  );
  return reservations.map(({ dishId, sideboardId }) => ({ dish: next(dishes, dishId), sideboard: next(sideboards, sideboardId) }));
}

async function take(tx: Tx, what: SoldOut['what'], ids: readonly string[]): Promise<Move[]> {
  const moves: Move[] = [];
  for (const id of inOrder(ids)) {
    const move = await moveOne(tx, `box_${what}`, id, -1, sql`AND remaining >= 1 AND withdrawn = 0`);
    if (!move) throw new SoldOut(what, id);
    moves.push(move);
  }
  return moves;
}

/** Several orders may have moved the same row: each takes its own move. */
export function next(moves: Move[], id: string): Move {
  const [move] = moves.splice(
    moves.findIndex((one) => one.id === id),
    1,
  );
  if (!move) throw new Error('a move of the stock got lost');
  return move;
}

export function inOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
}
