import type { Queryable } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';
import type { OpenEvent } from '../outbox/types.js';

/** Each reason in at most 100 characters: a bulk act keeps it with its item. */
export const ORDER_GONE = 'its order is gone, so nobody can tell what is owed: settle it as done with proof';

/** The order that an open event is about, even when its payload cannot be read any more. */
export async function orderOf(
  queryable: Queryable,
  { subjectId, payload }: OpenEvent<{ readonly orderId: string }>,
): Promise<BoxOrder | null> {
  const id = payload?.orderId ?? subjectId;
  return id === null ? null : queryable.manager.findOneBy(BoxOrder, { id });
}

/** Points that our books owe the diner are given back by this event, or by a person who has proof: never by silence. */
export function whileOwed({ refund }: BoxOrder, { status }: Pick<OpenEvent, 'status'>): string | null {
  if (refund !== 'PENDING') return null;
  return status === 'pending'
    ? "the diner's points are still owed: let it go on"
    : "the diner's points are still owed: requeue it, or settle it as done with proof";
}
