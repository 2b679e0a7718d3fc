import type { Refund } from '../clients/energy.js';
import type { Tx } from '../database/database.js';
import { setRefund, writeStep } from '../orders/order.js';

type Effect = (tx: Tx) => Promise<void>;

/** What our books keep once the points are back. */
export const refunded =
  (orderId: string, wanted: Pick<Refund, 'amountInCent' | 'outRefundNo'>): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'DONE'))
      await writeStep(tx, orderId, 'refunded', {
        amountInCent: wanted.amountInCent,
        outRefundNo: wanted.outRefundNo,
      });
  };

/** What our books keep once it is proven that no points were taken, and none will be. */
export const nothingToRefund =
  (orderId: string, tradeNo: string): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'NONE'))
      await writeStep(tx, orderId, 'nothing-to-refund', { outTradeNo: tradeNo });
  };
