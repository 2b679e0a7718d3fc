import { after, type Dialect, join, raw, type Sql, sql } from '../database/sql.js';
import { liveStatuses } from '../entities/box-order.js';
import { complaintReminder } from '../handlers/complaint-reminder.js';
import { fulfilmentClose } from '../handlers/fulfilment-close.js';
import type { DriftKind } from './drift.js';

/**
 * The reports that TypeORM cannot word: sums with conditions, a count for each row, a union. Each reads the
 * orders of one day (index box_order_of_day) or, without a day, all orders; they run once an hour and when a
 * person asks.
 */

/**
 * One row of sums over the orders, in cents and orders. Whatever was paid and not refunded must be the price
 * of the live orders, less what complaints were granted.
 */
export function orderSums(day: string | null): Sql {
  return sql`
    SELECT
      SUM(CASE WHEN status IN ('ORDERING', 'ORDERED') THEN price_in_cent - granted_in_cent ELSE 0 END) AS live,
      SUM(CASE WHEN status IN ('ORDERING', 'ORDERED', 'USER_CANCEL', 'ORDER_ERROR') OR refund = 'DONE' THEN price_in_cent ELSE 0 END) AS paid,
      SUM(CASE WHEN refund = 'DONE' THEN price_in_cent - granted_in_cent ELSE 0 END) AS refunded,
      SUM(granted_in_cent) AS granted,
      SUM(CASE WHEN status IN ('USER_CANCEL', 'ORDER_ERROR') AND refund = 'NONE' THEN price_in_cent ELSE 0 END) AS nevertaken,
      SUM(CASE WHEN status = 'ORDERED' THEN 1 ELSE 0 END) AS ordered,
      SUM(CASE WHEN ${hasMeal} AND status IN ('ORDERING', 'ORDERED') THEN 1 ELSE 0 END) AS meals,
      SUM(CASE WHEN ${hasMeal} AND status NOT IN ('ORDERING', 'ORDERED') THEN 1 ELSE 0 END) AS orphans,
      SUM(CASE WHEN ${hasMeal} AND status NOT IN ('ORDERING', 'ORDERED') AND EXISTS (SELECT 1 FROM order_step s WHERE s.order_id = box_order.id AND s.kind = 'meal-loss-accepted') THEN 1 ELSE 0 END) AS accepted
    FROM box_order WHERE ${day === null ? sql`1 = 1` : sql`edible_date = ${day}`}`;
}
/** What complaints got back. The granted part of an order's price is theirs, whatever became of the order. */
export function complaintsRefunded(day: string | null): Sql {
  return sql`
    SELECT SUM(c.granted_in_cent) AS refunded FROM complaint c JOIN box_order o ON o.id = c.order_id
    WHERE c.state = 'REFUNDED' AND ${day === null ? sql`1 = 1` : sql`o.edible_date = ${day}`}`;
}

const hasMeal = sql`meican_order_id IS NOT NULL AND meican_cancelled_at IS NULL`;

export interface Stock {
  readonly table: 'box_dish' | 'box_sideboard';
  /** The order's column that names the row. */
  readonly column: 'dish_id' | 'sideboard_id';
  readonly total: 'stock' | 'capacity';
}

/** Each dish, or cabinet, with what is taken of it and how many live orders hold it. */
export function stockTaken({ table, column, total }: Stock, day: string | null): Sql {
  return sql`
    SELECT t.id, t.${raw(total)} - t.remaining AS taken,
      (SELECT COUNT(*) FROM box_order o WHERE o.edible_date = m.edible_date AND o.status IN (${join(liveStatuses)}) AND o.${raw(column)} = t.id) AS live
    FROM ${raw(table)} t JOIN menu m ON m.id = t.menu_id WHERE ${day === null ? sql`1 = 1` : sql`m.edible_date = ${day}`}`;
}

/** Of events that wait for days and change neither money nor stock: an order that has only these is at rest. */
const atRest = join([fulfilmentClose.type, complaintReminder.type]);

/**
 * Events about an order that are pending: counted up to 10,001, because the number matters only while it is
 * small.
 */
export const pendingAboutOrders = sql`
  SELECT COUNT(*) AS n FROM (SELECT id FROM outbox_event WHERE status = 'pending' AND subject_id IS NOT NULL AND type NOT IN (${atRest}) LIMIT 10001) AS some`;

/**
 * The orders of a day; `moving`: changed within the last `olderThanMs`, or an event about the order is
 * pending.
 */
export function ordersOfDay(day: string, olderThanMs: number): Sql {
  return sql`
    SELECT o.id, o.order_no, o.email, o.corp, o.status, o.meal_type, o.price_in_cent, o.granted_in_cent, o.meican_order_id,
      CASE WHEN o.updated_at > ${after(-olderThanMs)} OR EXISTS (SELECT 1 FROM outbox_event e WHERE e.subject_id = CAST(o.id AS CHAR) AND e.status = 'pending' AND e.type NOT IN (${atRest})) THEN 1 ELSE 0 END AS moving
    FROM box_order o WHERE o.edible_date = ${day} ORDER BY o.id`;
}

export interface Waiting {
  readonly kind: DriftKind;
  /** A condition on the order `o`. */
  readonly state: Sql;
  /** The event types that would move it on. */
  readonly movers: readonly string[];
}

/**
 * Orders that wait for an event which is not there, at most `max` of each kind. Index
 * box_order_of_status_refund leads to the few orders that are open, outbox_event_subject to the events of
 * each.
 */
export function ordersWaiting(
  dialect: Dialect,
  waiting: readonly Waiting[],
  day: string | null,
  max: number,
): Sql {
  const parts = waiting.map(
    ({ kind, state, movers }) => sql`
    SELECT * FROM (SELECT o.id, o.order_no, o.status, o.edible_date, ${kind} AS kind FROM box_order o ${raw(dialect.useIndex('box_order_of_status_refund'))}
    WHERE ${state} ${day === null ? sql`` : sql`AND o.edible_date = ${day}`} AND NOT EXISTS (
      SELECT 1 FROM outbox_event e ${raw(dialect.useIndex('outbox_event_subject'))}
      WHERE e.subject_id = CAST(o.id AS CHAR) AND e.type IN (${join(movers)}) AND e.status IN ('pending', 'errored')) LIMIT ${raw(String(max))}) AS waiting`,
  );
  return join(parts, ' UNION ALL ');
}

export const isPaying = sql`o.status = 'PAYING'`;
export const isOrdering = sql`o.status = 'ORDERING'`;
export const isRefundDue = sql`o.status IN ('USER_CANCEL', 'ORDER_ERROR') AND o.refund = 'PENDING'`;
export const isRollbackDue = sql`o.status = 'SYSTEM_CANCEL' AND o.refund = 'PENDING'`;
