import type { BoxOrder } from '../entities/box-order.js';
import type { Drift, DriftKind } from './drift.js';

export type ComparedOrder = Pick<
  BoxOrder,
  | 'id'
  | 'orderNo'
  | 'email'
  | 'corp'
  | 'status'
  | 'mealType'
  | 'priceInCent'
  | 'grantedInCent'
  | 'meicanOrderId'
>;

/** What one vendor's books showed. */
export interface Part {
  guilty: Drift[];
  /** Questions that got no answer. */
  unanswered: number;
}

export function drift(
  kind: DriftKind,
  order: ComparedOrder,
  what: string,
  more: Pick<Drift, 'meicanOrderId' | 'keptInCent'> = {},
): Drift {
  return {
    kind,
    orderId: order.id,
    orderNo: order.orderNo,
    eventId: null,
    what,
    meicanOrderId: order.meicanOrderId,
    ...more,
  };
}
