import type { Tx } from '../database/database.js';
import type { Reservation } from '../stock/move.js';
import { release } from '../stock/release.js';
import { writeStep } from './step.js';

/** Gives back what these ended orders held, and writes into each one's story what the stock was before and after. */
export async function releaseStock(tx: Tx, orders: readonly (Reservation & { readonly id: string })[]): Promise<void> {
  const moves = await release(tx, orders);
  for (const [i, order] of orders.entries()) await writeStep(tx, order.id, 'stock-released', { ...moves[i] });
}
