import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import type { Books } from '../../src/dev/sandbox/ledger.js';

/** Every way in which our books and the vendors' disagree; empty when they agree. Only meaningful when nothing is pending. */
export async function disagreements(database: Database, vendors: Books): Promise<string[]> {
  const found: string[] = [];
  const orders = await database.query<{
    id: unknown;
    order_no: string;
    user_id: string;
    status: string;
    price_in_cent: number;
    granted_in_cent: number;
    refund: string;
    meican_order_id: string | null;
    dish_id: unknown;
    sideboard_id: unknown;
  }>(sql`SELECT * FROM box_order`);
  const complaints = await database.query<{ id: unknown }>(
    sql`SELECT id FROM complaint WHERE state = 'REFUNDED'`,
  );
  const complaintNos = new Set(complaints.map(({ id }) => `S${String(id)}`));
  const live = orders.filter((order) => ['PAYING', 'ORDERING', 'ORDERED'].includes(order.status));
  for (const order of orders) {
    const isLive = live.includes(order);
    const trade = vendors.trades.find((one) => one.outTradeNo === `P${order.order_no}`);
    const refunds = vendors.refunds.filter(
      (one) => one.outTradeNo === `P${order.order_no}` && one.status === 'SUCCESS',
    );
    const kept =
      (trade?.status === 'SUCCESS' ? trade.amount : 0) - refunds.reduce((sum, one) => sum + one.amount, 0);
    if (kept !== (isLive ? order.price_in_cent - order.granted_in_cent : 0))
      found.push(`order ${order.order_no} ${order.status}: the energy center keeps ${kept}`);
    const whole = refunds.filter((one) => !complaintNos.has(one.outRefundNo));
    if (whole.length > 1) found.push(`order ${order.order_no}: ${whole.length} refunds`);
    const granted = refunds.filter((one) => complaintNos.has(one.outRefundNo));
    if (granted.reduce((sum, one) => sum + one.amount, 0) !== order.granted_in_cent)
      found.push(`order ${order.order_no}: ${order.granted_in_cent} granted, not refunded so`);
    if (isLive && order.status !== 'ORDERED') found.push(`order ${order.order_no} is still ${order.status}`);
    if (order.refund === 'PENDING') found.push(`order ${order.order_no}: refund still pending`);
    const meal = vendors.meicanOrders.find((one) => one.orderId === order.meican_order_id);
    if (isLive && (!meal || meal.cancelled))
      found.push(`order ${order.order_no} is live without a meal at Meican`);
    if (!isLive && meal && !meal.cancelled)
      found.push(`order ${order.order_no} ${order.status}: Meican still cooks`);
  }
  const owned = new Set(orders.map((order) => order.meican_order_id).filter((id) => id !== null));
  if (owned.size !== orders.filter((order) => order.meican_order_id !== null).length)
    found.push('two orders share a meal');
  for (const meal of vendors.meicanOrders)
    if (!meal.cancelled && !meal.foreign && !owned.has(meal.orderId))
      found.push(`Meican cooks ${meal.orderId} for nobody`);
  for (const [table, column, total] of [
    ['box_dish', 'dish_id', 'stock'],
    ['box_sideboard', 'sideboard_id', 'capacity'],
  ] as const) {
    const rows = await database.query<Record<string, unknown>>({
      kind: 'sql',
      strings: [`SELECT id, ${total} AS total, remaining FROM ${table}`],
      values: [],
    });
    for (const row of rows) {
      const taken = live.filter((order) => String(order[column]) === String(row.id)).length;
      if (Number(row.total) - Number(row.remaining) !== taken)
        found.push(
          `${table} ${row.id}: ${Number(row.total) - Number(row.remaining)} taken, ${taken} live orders`,
        );
    }
  }
  return found;
}

/** Is anything still to be done? Alerts and ghost sweeps live on by design. */
export async function pendingCount(database: Database): Promise<number> {
  const rows = await database.query(
    sql`SELECT id FROM outbox_event WHERE status = 'pending' AND type <> 'WECOM_ALERT' AND dedupe_key NOT LIKE '%:ghost'`,
  );
  return rows.length;
}
