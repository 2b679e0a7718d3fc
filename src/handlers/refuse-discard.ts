import type { Queryable } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import type { OpenEvent } from '../outbox/types.js';

/** Every reason has at most 100 characters, because a bulk act stores it with its item. */
export const ORDER_GONE = 'its order is gone, so nobody can tell what is owed: settle it as done with proof';

/** The order that an open event is about; found by the event's subject when the payload cannot be read. */
export async function orderOf(
  queryable: Queryable,
  { subjectId, payload }: OpenEvent<{ readonly orderId: string }>,
): Promise<BoxOrder | null> {
  const id = payload?.orderId ?? subjectId;
  return id === null ? null : queryable.manager.findOneBy(BoxOrder, { id });
}

/**
 * Our books owe the diner points: only this event, or a person with proof, may end the debt. Null: nothing is
 * owed.
 */
export function whileOwed({ refund }: BoxOrder, { status }: Pick<OpenEvent, 'status'>): string | null {
  if (refund !== 'PENDING') return null;
  return status === 'pending'
    ? "the diner's points are still owed: let it go on"
    : "the diner's points are still owed: requeue it, or settle it as done with proof";
}
