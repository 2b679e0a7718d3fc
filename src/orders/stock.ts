import type { Tx } from '../database/database.js';
import { raw, type Sql, sql } from '../database/sql.js';
import { type Step, writeSteps } from './order.js';

/** What one row of stock was, and is now. */
export interface Move {
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
 * Says what that did to the stock, order by order. Takes one dish and one cabinet slot for each reservation, or throws SoldOut, upon which the transaction must roll back.
 * The last statements of their transaction: a hot dish stays locked for the shortest time. By primary key and in its order, so
 * that two transactions never wait for each other.
 */
export async function reserve(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, -1, sql`AND remaining >= 1 AND withdrawn = 0`, (what, id) => {
    throw new SoldOut(what, id);
  });
}

/**
 * Gives back what these ended orders held, and writes into each one's story what the stock was before and after, behind the steps of this
 * transaction that go `before`.
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
 * Gives back what these orders held; says what that did to the stock, order by order. Only in the transaction whose conditional UPDATE
 * ended them, and late in it. `remaining <= stock` is a constraint of the table: giving back twice fails loudly.
 */
async function release(tx: Tx, reservations: readonly Reservation[]): Promise<StockMoves[]> {
  return moveAll(tx, reservations, 1, sql``, (_what, id) => ({ id, before: 0, after: 0 })); // a row that is gone holds nothing
}

/**
 * One more or one less of each dish and cabinet, the cabinets first, by primary key and in its order, so that two transactions never wait
 * for each other. Says what that did, reservation by reservation. `missing` is told of a row whose condition did not hold.
 */
async function moveAll(
  tx: Tx,
  reservations: readonly Reservation[],
  by: 1 | -1,
  condition: Sql,
  missing: (what: 'dish' | 'sideboard', id: string) => Move,
): Promise<StockMoves[]> {
  const moved = async (what: 'dish' | 'sideboard', ids: readonly string[]): Promise<Move[]> => {
    const moves: Move[] = [];
    for (const id of inOrder(ids))
      moves.push((await moveOne(tx, `box_${what}`, id, by, condition)) ?? missing(what, id));
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

/** Several orders may have moved the same row: each takes its own move. */
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

/** One more or one less, by primary key, told without a second question where the database can. Null: the condition did not hold, or there is no such row. */
async function moveOne(
  tx: Tx,
  table: 'box_dish' | 'box_sideboard',
  id: string,
  by: 1 | -1,
  condition: Sql,
): Promise<Move | null> {
  const next = tx.dialect.remembered(raw(`remaining ${by === 1 ? '+' : '-'} 1`));
  const { affected, insertId } = await tx.execute(
    sql`UPDATE ${raw(table)} SET remaining = ${next} WHERE id = ${id} ${condition}`,
  );
  if (affected !== 1) return null;
  const after = tx.dialect.name === 'mysql' ? Number(insertId) : await remainingOf(tx, table, id);
  return { id, before: after - by, after };
}

async function remainingOf(tx: Tx, table: string, id: string): Promise<number> {
  const [row] = await tx.query<{ remaining: number }>(
    sql`SELECT remaining FROM ${raw(table)} WHERE id = ${id}`,
  );
  return Number(row?.remaining);
}
