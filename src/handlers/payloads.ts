import { z } from 'zod';

export const orderRef = z.strictObject({ orderId: z.string().regex(/^\d+$/), orderNo: z.string().min(1) });
/** The number of a repair of the books. It makes the event another one about the same order. */
export const repair = z.number().int().positive().optional();
export const dedupeOf = (orderNo: string, nth: number | undefined): string =>
  nth === undefined ? orderNo : `${orderNo}:repair:${nth}`;
export const cents = z.number().int().nonnegative();
export const paidOrder = orderRef.extend({ userId: z.string().min(1), amountInCent: cents });
/** A refund of an order. */
export const refundOrder = paidOrder.extend({ reason: z.string(), repair });

/**
 * Stands here because the placement's file imports the cancel's, and the cancel looks for the placement's
 * event.
 */
export const placementType = 'MEICAN_NEW_V2_ORDER';

export const exampleOrder = { orderId: '1', orderNo: '20261123000001' } as const;

/**
 * Our numbers at the energy center. They derive from the order's number, so that no repeat pays or refunds
 * twice.
 */
export const outTradeNo = (orderNo: string): string => `P${orderNo}`;
export const outRefundNo = (orderNo: string): string => `R${orderNo}`;
/** Never the number of an order's refund, because order numbers are digits. */
export const coffeeRefundNo = (tradeNo: string): string => `RC${tradeNo}`;
export const meicanKey = (orderNo: string): string => `meican:${orderNo}`;
export const energyKey = (orderNo: string): string => `energy:${orderNo}`;

/** The refund of an order's payment, always under the same number. */
export function refundFor(
  { orderNo, userId, amountInCent }: Omit<z.infer<typeof paidOrder>, 'orderId'>,
  reason: string,
) {
  return {
    outRefundNo: outRefundNo(orderNo),
    outTradeNo: outTradeNo(orderNo),
    userId,
    amountInCent,
    reason,
  };
}
