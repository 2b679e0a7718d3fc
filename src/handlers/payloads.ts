import { z } from 'zod';

export const orderRef = z.strictObject({ orderId: z.string().regex(/^\d+$/), orderNo: z.string().min(1) });
export const cents = z.number().int().nonnegative();
export const paidOrder = orderRef.extend({ userId: z.string().min(1), amountInCent: cents });
/** Money back for an order. */
export const refundOrder = paidOrder.extend({ reason: z.string() });

export const exampleOrder = { orderId: '1', orderNo: '20261123000001' } as const;

/** At the energy center: our numbers, deterministic, so that nothing is paid or refunded twice. */
export const outTradeNo = (orderNo: string): string => `P${orderNo}`;
export const outRefundNo = (number: string): string => `R${number}`;
export const meicanKey = (orderNo: string): string => `meican:${orderNo}`;
export const energyKey = (orderNo: string): string => `energy:${orderNo}`;
