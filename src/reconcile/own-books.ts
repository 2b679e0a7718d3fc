import type { Queryable } from '../database/database.js';
import { join, raw, sql } from '../database/sql.js';
import { liveStatuses } from '../entities/box-order.js';
import type { Drift } from './drift.js';
import { findStuck } from './stuck.js';

/** A sum that must hold when nothing is pending. Counts and cents. */
export interface BookSum {
  readonly name: string;
  readonly expected: number;
  readonly actual: number;
  readonly difference: number;
}

export interface OwnBooks {
  readonly agree: boolean;
  /** Events that are still to be carried out: while there are some, differences may be on their way home. */
  readonly pending: number;
  readonly sums: readonly BookSum[];
  readonly guilty: readonly Drift[];
}

const GUILTY_MAX = 200;

/**
 * Our own tables against themselves. points: paid − refunded = price of the live orders. dishes, cabinets: total − remaining = live orders.
 * meals: each ORDERED order has a meal at Meican that was not cancelled; no ended one has.
 * What waits for an event that is not there is guilty, too.
 * `day` limits orders, dishes and cabinets to those eaten on it.
 */
export async function checkOwnBooks(database: Queryable, day: string | null): Promise<OwnBooks> {
  const ofDay = day === null ? sql`1 = 1` : sql`edible_date = ${day}`;
  const [money] = await database.query<Record<string, number | string | null>>(sql`
    SELECT
      SUM(CASE WHEN status IN ('ORDERING', 'ORDERED') THEN price_in_cent ELSE 0 END) AS live,
      SUM(CASE WHEN status IN ('ORDERING', 'ORDERED', 'USER_CANCEL', 'ORDER_ERROR') OR refund = 'DONE' THEN price_in_cent ELSE 0 END) AS paid,
      SUM(CASE WHEN refund = 'DONE' THEN price_in_cent ELSE 0 END) AS refunded,
      SUM(CASE WHEN status IN ('USER_CANCEL', 'ORDER_ERROR') AND refund = 'NONE' THEN price_in_cent ELSE 0 END) AS nevertaken,
      SUM(CASE WHEN status = 'ORDERED' THEN 1 ELSE 0 END) AS ordered,
      SUM(CASE WHEN meican_order_id IS NOT NULL AND meican_cancelled_at IS NULL AND status IN ('ORDERING', 'ORDERED') THEN 1 ELSE 0 END) AS meals,
      SUM(CASE WHEN meican_order_id IS NOT NULL AND meican_cancelled_at IS NULL AND status NOT IN ('ORDERING', 'ORDERED') THEN 1 ELSE 0 END) AS orphans,
      SUM(CASE WHEN meican_order_id IS NOT NULL AND meican_cancelled_at IS NULL AND status NOT IN ('ORDERING', 'ORDERED') AND EXISTS (SELECT 1 FROM order_step s WHERE s.order_id = box_order.id AND s.kind = 'meal-loss-accepted') THEN 1 ELSE 0 END) AS accepted
    FROM box_order WHERE ${ofDay}`);
  const of = (name: string): number => Number(money?.[name] ?? 0);
  const stock = [
    await takenOf(database, 'box_dish', 'dish_id', 'stock', day),
    await takenOf(database, 'box_sideboard', 'sideboard_id', 'capacity', day),
  ] as const;
  const sums = [
    sum('points kept (cents)', of('live'), of('paid') - of('refunded') - of('nevertaken')),
    sum('meals at Meican', of('ordered'), of('meals')),
    sum('meals of ended orders', of('accepted'), of('orphans')),
    sum('dishes taken', stock[0].live, stock[0].taken),
    sum('cabinet slots taken', stock[1].live, stock[1].taken),
  ];
  const guilty = [
    ...stock[0].guilty,
    ...stock[1].guilty,
    ...(await erroredEvents(database, day)),
    ...(await findStuck(database, day)),
  ];
  return {
    agree: sums.every((one) => one.difference === 0) && guilty.length === 0,
    pending: await pendingCount(database),
    sums,
    guilty,
  };
}

function sum(name: string, expected: number, actual: number): BookSum {
  return { name, expected, actual, difference: actual - expected };
}

async function takenOf(
  database: Queryable,
  table: 'box_dish' | 'box_sideboard',
  column: string,
  total: string,
  day: string | null,
): Promise<{ taken: number; live: number; guilty: Drift[] }> {
  const rows = await database.query<{ id: unknown; taken: number | string; live: number | string }>(sql`
    SELECT t.id, t.${raw(total)} - t.remaining AS taken,
      (SELECT COUNT(*) FROM box_order o WHERE o.edible_date = m.edible_date AND o.status IN (${join(liveStatuses)}) AND o.${raw(column)} = t.id) AS live
    FROM ${raw(table)} t JOIN menu m ON m.id = t.menu_id WHERE ${day === null ? sql`1 = 1` : sql`m.edible_date = ${day}`}`);
  const guilty = rows
    .filter((row) => Number(row.taken) !== Number(row.live))
    .map(
      (row): Drift => ({
        kind: 'stock-differs',
        orderId: null,
        orderNo: null,
        eventId: null,
        stockOf: { table, id: String(row.id) },
        what: `${table} ${String(row.id)}: ${row.taken} taken, ${row.live} live orders`,
      }),
    );
  return {
    taken: rows.reduce((all, row) => all + Number(row.taken), 0),
    live: rows.reduce((all, row) => all + Number(row.live), 0),
    guilty,
  };
}

async function erroredEvents(database: Queryable, day: string | null): Promise<Drift[]> {
  const rows = await database.query<{
    id: unknown;
    type: string;
    subject_id: string | null;
    subject_no: string | null;
    last_error_code: string | null;
    edible_date: string | null;
  }>(sql`
    SELECT e.id, e.type, e.subject_id, e.subject_no, e.last_error_code, o.edible_date FROM outbox_event e LEFT JOIN box_order o ON o.id = e.subject_id
    WHERE e.status = 'errored' ORDER BY e.settled_at DESC LIMIT ${raw(String(GUILTY_MAX))}`);
  return rows
    .filter((row) => day === null || row.edible_date === null || row.edible_date === day)
    .map((row) => ({
      kind: 'event-errored',
      orderId: row.subject_id,
      orderNo: row.subject_no,
      eventId: String(row.id),
      what: `${row.type} errored: ${row.last_error_code ?? ''}`,
    }));
}

async function pendingCount(database: Queryable): Promise<number> {
  const [row] = await database.query<{ n: number | string }>(sql`
    SELECT COUNT(*) AS n FROM (SELECT id FROM outbox_event WHERE status = 'pending' AND subject_id IS NOT NULL LIMIT 10001) AS some`);
  return Number(row?.n);
}
