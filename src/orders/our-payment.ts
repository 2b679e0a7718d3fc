import type { Queryable } from '../database/database.js';
import { BoxOrder } from '../entities/box-order.js';

/**
 * The form of the payment numbers of every lunchbox installation: `P`, up to four digits of prefix,
 * `yyyyMMdd`, seven digits. Upper or lower case, because a vendor may ignore the difference.
 */
const OUR_FORM = /^p\d{15,19}$/i;

/**
 * True: this is the payment of an order, or a number that an order may still get, so only a cancel of the
 * order may refund it.
 */
export async function isOurPayment(queryable: Queryable, outTradeNo: string): Promise<boolean> {
  if (OUR_FORM.test(outTradeNo)) return true;
  if (!/^p/i.test(outTradeNo)) return false;
  return queryable.manager.existsBy(BoxOrder, { orderNo: outTradeNo.slice(1) });
}
