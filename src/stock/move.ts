import type { Tx } from '../database/database.js';
import { raw, type Sql, sql } from '../database/sql.js';

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

/** One more or one less, by primary key, told without a second question where the database can. Null: the condition did not hold, or there is no such row. */
export async function moveOne(tx: Tx, table: 'box_dish' | 'box_sideboard', id: string, by: 1 | -1, condition: Sql = sql``): Promise<Move | null> {
  const next = raw(tx.dialect.remembered(`remaining ${by === 1 ? '+' : '-'} 1`));
  const { affected, insertId } = await tx.execute(sql`UPDATE ${raw(table)} SET remaining = ${next} WHERE id = ${id} ${condition}`);
  if (affected !== 1) return null;
  const after = tx.dialect.name === 'mysql' ? Number(insertId) : await remainingOf(tx, table, id);
  return { id, before: after - by, after };
}

async function remainingOf(tx: Tx, table: string, id: string): Promise<number> {
  const [row] = await tx.query<{ remaining: number }>(sql`SELECT remaining FROM ${raw(table)} WHERE id = ${id}`);
  return Number(row?.remaining);
}
