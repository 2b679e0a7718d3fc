import { In, Not } from 'typeorm';
import type { Queryable, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { Complaint, type ComplaintState } from '../entities/complaint.js';

/** The states of a complaint. Each change is one conditional UPDATE. */

const closed = ['REFUNDED', 'REJECTED'] as const satisfies readonly ComplaintState[];

export interface ComplaintMove {
  readonly from: readonly ComplaintState[];
  readonly to: ComplaintState;
  readonly grantedInCent?: number;
}

/** False: the complaint was in none of the states that the change leaves, and the caller does nothing more. */
export async function moveComplaint(
  tx: Tx,
  id: string,
  { from, to, grantedInCent }: ComplaintMove,
): Promise<boolean> {
  const moved = {
    state: to,
    stateAt: instant(tx),
    ...(grantedInCent === undefined ? {} : { grantedInCent }),
    ...(isClosed(to) ? { openOrderId: null } : {}),
  };
  const { affected } = await tx.manager.update(Complaint, { id, state: In(from) }, moved);
  return affected === 1;
}

export function isClosed(state: ComplaintState): boolean {
  return (closed as readonly ComplaintState[]).includes(state);
}

/** The complaint about this order that has not ended; an order has one at most. */
export function openComplaintOf(queryable: Queryable, orderId: string): Promise<Complaint | null> {
  return queryable.manager.findOneBy(Complaint, { openOrderId: orderId, state: Not(In(closed)) });
}
