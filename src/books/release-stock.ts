import type { Tx } from '../database/database.js';
import type { Reservation } from '../stock/move.js';
import { release } from '../stock/release.js';
import { type Step, writeSteps } from './step.js';

/**
 * Gives back what these ended orders held, and writes into each one's story what the stock was before and after, behind the steps of this
 * transaction that go `before`.
 */
export async function releaseStock(tx: Tx, orders: readonly (Reservation & { readonly id: string })[], before: readonly Step[] = []): Promise<void> {
  const moves = await release(tx, orders);
  await writeSteps(tx, [...before, ...orders.map(({ id }, i): Step => ({ orderId: id, kind: 'stock-released', detail: { ...moves[i] } }))]);
}
