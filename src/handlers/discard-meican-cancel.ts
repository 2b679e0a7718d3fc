import type { Queryable } from '../database/database.js';
import type { BoxOrder } from '../entities/box-order.js';
import type { OpenEvent } from '../outbox/types.js';

type Discarded = OpenEvent<{ readonly meicanOrderId?: string | undefined }>;

/** Meican has already confirmed that it no longer has the meal of this event. */
export function isGone(order: BoxOrder, { payload: of }: Discarded): boolean {
  return (
    order.meicanCancelledAt !== null && (of?.meicanOrderId ?? order.meicanOrderId) === order.meicanOrderId
  );
}

/** Meican refused for good, or the cut-off has passed: the meal is cooked. */
export async function isLost(
  queryable: Queryable,
  order: BoxOrder,
  { status, outcome }: Discarded,
): Promise<boolean> {
  if (status !== 'errored') return false;
  if (outcome === 'rejected') return true;
  return (await queryable.now()) >= order.cutoffAt;
}
