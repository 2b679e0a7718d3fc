import { In } from 'typeorm';
import type { Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { BoxOrder, type FulfilmentState, fulfilmentStates, type OrderStatus } from '../entities/box-order.js';
import { writeStep } from './order.js';

/** Only what is paid for is cooked. */
export const fulfilledStatuses = ['ORDERING', 'ORDERED'] as const satisfies readonly OrderStatus[];

const ended: readonly FulfilmentState[] = ['PICKED_UP', 'NOT_PICKED_UP'];

/** The states from which a box may come into this one. Steps may be left out, none goes back. */
export function statesBefore(to: FulfilmentState): FulfilmentState[] {
  const earlier = fulfilmentStates.slice(0, fulfilmentStates.indexOf(to));
  return ended.includes(to) ? earlier.filter((state) => !ended.includes(state)) : earlier;
}

export interface FulfilmentMove {
  readonly to: FulfilmentState;
  /** Since when. */
  readonly at: Date;
  /** Absent: from every state before it. */
  readonly from?: readonly FulfilmentState[];
}

/** One conditional UPDATE, with its step. False: the order is not live, or its box has come as far, or further. */
export async function moveFulfilment(
  tx: Tx,
  orderId: string,
  { to, at, from = statesBefore(to) }: FulfilmentMove,
): Promise<boolean> {
  const where = { id: orderId, status: In(fulfilledStatuses), fulfilment: In(from) };
  const moved = { fulfilment: to, fulfilmentAt: at, updatedAt: instant(tx) };
  const { affected } = await tx.manager.update(BoxOrder, where, moved);
  if (affected !== 1) return false;
  await writeStep(tx, orderId, 'fulfilment', { state: to, at: at.toISOString() });
  return true;
}
