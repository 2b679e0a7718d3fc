import type { Tx } from '../database/database.js';
import { raw } from '../database/sql.js';
import { type Step, writeSteps } from './order.js';
import { moveStock, remainingOf, type StockTable } from './statements.js';

/** What one row of stock was, and is now. */
interface Move {
  readonly id: string;
  readonly before: number;
  readonly after: number;
}

/** What one order took or gave back. */
export interface StockMoves {
  readonly dish: Move;
  readonly sideboard: Move;
}

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
 * Takes one dish and one cabinet slot for each reservation, and tells what that did to the stock, order by
 * order. Throws SoldOut, after which the transaction must roll back. These are the last statements of their
 * transaction, so that a dish in demand stays locked for the shortest time.
 */
export async function reserve(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, -1, (what, id) => {
    throw new SoldOut(what, id);
  });
}

/**
 * Gives back what these ended orders held, and writes into each order's story what the stock was before and
 * after. The steps `before` are written ahead of those, in the same statement.
 */
export async function releaseStock(
  tx: Tx,
  orders: readonly (Reservation & { readonly id: string })[],
  before: readonly Step[] = [],
): Promise<void> {
  const moves = await release(tx, orders);
  await writeSteps(tx, [
    ...before,
    ...orders.map(({ id }, i): Step => ({ orderId: id, kind: 'stock-released', detail: { ...moves[i] } })),
  ]);
}

/**
 * Gives back what these orders held, and tells what that did to the stock, order by order. Only in the
 * transaction whose conditional UPDATE ended them, and late in it. `remaining <= stock` is a constraint of
 * the table: giving back twice fails.
 */
async function release(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, 1, (_what, id) => ({ id, before: 0, after: 0 })); // a row that is gone holds nothing
}

/**
 * One more or one less of each dish and cabinet. The cabinets go first, and each kind in the order of its
 * primary key, so that two transactions never wait for each other. `missing` gives the move of a row that has
 * none left, or is not there.
 */
async function moveAll(
  tx: Tx,
  reservations: readonly Reservation[],
  by: 1 | -1,
  missing: (what: 'dish' | 'sideboard', id: string) => Move,
): Promise<StockMoves[]> {
  const moved = async (what: 'dish' | 'sideboard', ids: readonly string[]): Promise<Move[]> => {
    const moves: Move[] = [];
    for (const id of inOrder(ids))
      moves.push((await moveOne(tx, `box_${what}`, id, by)) ?? missing(what, id));
    return moves;
  };
  const sideboards = await moved(
    'sideboard',
    reservations.map(({ sideboardId }) => sideboardId),
  );
  const dishes = await moved(
    'dish',
    reservations.map(({ dishId }) => dishId),
  );
  return reservations.map(({ dishId, sideboardId }) => ({
    dish: next(dishes, dishId),
    sideboard: next(sideboards, sideboardId),
  }));
}

/** The move of one order: several orders may have moved the same row. */
function next(moves: Move[], id: string): Move {
  const [move] = moves.splice(
    moves.findIndex((one) => one.id === id),
    1,
  );
  if (!move) throw new Error('a move of the stock got lost');
  return move;
}

function inOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
}

/**
 * Null: there is none left to take, or no such row. MySQL tells the new value with the UPDATE; SQLite is
 * asked for it.
 */
async function moveOne(tx: Tx, table: StockTable, id: string, by: 1 | -1): Promise<Move | null> {
  const moved = tx.dialect.remembered(raw(`remaining ${by === 1 ? '+' : '-'} 1`));
  const { affected, insertId } = await tx.execute(moveStock(table, id, moved, by === -1));
  if (affected !== 1) return null;
  const after = tx.dialect.name === 'mysql' ? Number(insertId) : await readRemaining(tx, table, id);
  return { id, before: after - by, after };
}

async function readRemaining(tx: Tx, table: StockTable, id: string): Promise<number> {
  const [row] = await tx.query<{ remaining: number }>(remainingOf(table, id));
  return Number(row?.remaining);
}
