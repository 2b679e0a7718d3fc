import type { Queryable } from '../database/database.js';
import { inIds } from '../database/rows.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import type { Drift } from './drift.js';
import { complaintsRefunded, orderSums, pendingAboutOrders, type Stock, stockTaken } from './statements.js';
import { findStuck } from './stuck.js';

/** A sum that must hold when nothing is pending. In cents, or a count. */
interface BookSum {
  readonly name: string;
  readonly expected: number;
  readonly actual: number;
  readonly difference: number;
}

export interface OwnBooks {
  readonly agree: boolean;
  /** Events that are still to be carried out. While there are some, they may mend the differences. */
  readonly pending: number;
  readonly sums: readonly BookSum[];
  readonly guilty: readonly Drift[];
}

const GUILTY_MAX = 200;

/**
 * Our own tables against themselves. Points: paid − refunded = price of the live orders, less what complaints were
 * granted of it; and what was granted was refunded. Dishes and cabinets:
 * total − remaining = live orders. Meals: each ORDERED order has a meal at Meican that was not cancelled; no
 * ended order has one. An order that waits for an event which is not there is guilty, too. `day`: only what
 * is eaten on it.
 */
export async function checkOwnBooks(database: Queryable, day: string | null): Promise<OwnBooks> {
  const [money] = await database.query<Record<string, number | string | null>>(orderSums(day));
  const of = (name: string): number => Number(money?.[name] ?? 0);
  const [complaints] = await database.query<{ refunded: number | string | null }>(complaintsRefunded(day));
  const granted = Number(complaints?.refunded ?? 0);
  const stock = [
    await takenOf(database, { table: 'box_dish', column: 'dish_id', total: 'stock' }, day),
    await takenOf(database, { table: 'box_sideboard', column: 'sideboard_id', total: 'capacity' }, day),
  ] as const;
  const sums = [
    sum('points kept (cents)', of('live'), of('paid') - of('refunded') - of('nevertaken') - granted),
    sum('complaints refunded (cents)', of('granted'), granted),
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
  stock: Stock,
  day: string | null,
): Promise<{ taken: number; live: number; guilty: Drift[] }> {
  const { table } = stock;
  const rows = await database.query<{ id: unknown; taken: number | string; live: number | string }>(
    stockTaken(stock, day),
  );
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

async function erroredEvents({ manager }: Queryable, day: string | null): Promise<Drift[]> {
  const events = await manager.find(OutboxEvent, {
    select: { id: true, type: true, subjectId: true, subjectNo: true, lastErrorCode: true },
    where: { status: 'errored' },
    order: { settledAt: 'DESC' },
    take: GUILTY_MAX,
  });
  const about = events.flatMap(({ subjectId }) =>
    /^\d{1,20}$/.test(subjectId ?? '') ? [subjectId as string] : [],
  );
  const orders = await manager.find(BoxOrder, {
    select: { id: true, edibleDate: true },
    where: { id: inIds(about) },
  });
  const dayOf = new Map(orders.map(({ id, edibleDate }) => [id, edibleDate]));
  return events
    .filter(({ subjectId }) => day === null || (dayOf.get(subjectId ?? '') ?? day) === day)
    .map(({ id, type, subjectId, subjectNo, lastErrorCode }) => ({
      kind: 'event-errored',
      orderId: subjectId,
      orderNo: subjectNo,
      eventId: id,
      what: `${type} errored: ${lastErrorCode ?? ''}`,
    }));
}

async function pendingCount(database: Queryable): Promise<number> {
  const [row] = await database.query<{ n: number | string }>(pendingAboutOrders);
  return Number(row?.n);
}
