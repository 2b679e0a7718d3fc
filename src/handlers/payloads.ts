import { z } from 'zod';

export const orderRef = z.strictObject({ orderId: z.string().regex(/^\d+$/), orderNo: z.string().min(1) });
/** Recorded by a repair of the books: its number makes it another event about the same order. */
export const repair = z.number().int().positive().optional();
export const dedupeOf = (orderNo: string, nth: number | undefined): string =>
  nth === undefined ? orderNo : `${orderNo}:repair:${nth}`;
export const cents = z.number().int().nonnegative();
export const paidOrder = orderRef.extend({ userId: z.string().min(1), amountInCent: cents });
/** Money back for an order. */
export const refundOrder = paidOrder.extend({ reason: z.string(), repair });

/** Named here because two files need it and import one another: the placement's own, and the cancel that asks what became of it. */
export const placementType = 'MEICAN_NEW_V2_ORDER';

export const exampleOrder = { orderId: '1', orderNo: '20261123000001' } as const;

/** At the energy center: our numbers, deterministic, so that nothing is paid or refunded twice. */
export const outTradeNo = (orderNo: string): string => `P${orderNo}`;
export const outRefundNo = (orderNo: string): string => `R${orderNo}`;
/** Not in the namespace of orders: order numbers are digits. */
export const coffeeRefundNo = (tradeNo: string): string => `RC${tradeNo}`;
export const meicanKey = (orderNo: string): string => `meican:${orderNo}`;
export const energyKey = (orderNo: string): string => `energy:${orderNo}`;
