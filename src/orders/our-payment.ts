import type { Queryable } from '../database/database.js';
import { sql } from '../database/sql.js';

/** The form of our own payment numbers, of every installation: `P`, up to four digits of prefix, `yyyyMMdd`, seven digits. In either case: a vendor may ignore it. */
const OUR_FORM = /^p\d{15,19}$/i;

/** Is this the payment of an order, or a number that one of our orders may still get? Then nobody but the order itself may refund it. */
export async function isOurPayment(queryable: Queryable, outTradeNo: string): Promise<boolean> {
  if (OUR_FORM.test(outTradeNo)) return true;
  if (!/^p/i.test(outTradeNo)) return false;
  const rows = await queryable.query(sql`SELECT id FROM box_order WHERE order_no = ${outTradeNo.slice(1)}`);
  return rows.length > 0;
}
