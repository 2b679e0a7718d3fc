import type { Queryable } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';

/** The vendors' own books, as whoever runs them reads them. Cents. */
export interface VendorBooks {
  readonly accounts: readonly {
    readonly userId: string;
    readonly balance: number;
    readonly opened: number;
  }[];
  readonly trades: readonly {
    readonly outTradeNo: string;
    readonly userId: string;
    readonly amount: number;
    readonly status: string;
  }[];
  readonly refunds: readonly {
    readonly outRefundNo: string;
    readonly outTradeNo: string;
    readonly amount: number;
    readonly status: string;
  }[];
  readonly consumptions: readonly {
    readonly recordNo: string;
    readonly userId: string;
    readonly amount: number;
  }[];
  readonly meals: readonly VendorMeal[];
  /** Requests that a correct client would never send. */
  readonly complaints: readonly string[];
}

interface VendorMeal {
  readonly orderId: string;
  readonly email: string;
  readonly mealDate: string;
  readonly mealType: string;
  readonly dishId: string;
  readonly live: boolean;
  /** Placed by somebody else than us. */
  readonly foreign: boolean;
}

/** One sentence that should not be true, and whom it is about. */
export interface Finding {
  readonly orderNo: string | null;
  readonly what: string;
}

interface OrderRow {
  id: unknown;
  order_no: string;
  user_id: string;
  email: string;
  status: string;
  edible_date: string;
  meal_type: string;
  price_in_cent: number;
  refund: string;
  meican_order_id: string | null;
  meican_dish_id: string;
  dish_id: unknown;
  sideboard_id: unknown;
}

const LIVE = ['PAYING', 'ORDERING', 'ORDERED'];

/**
 * Every way in which the promises of the design do not hold at rest (nothing is pending): the energy center keeps the price of each live order
 * and of no other; each live order has exactly one live meal and no other has one; stock; nothing that waits for a move that nobody will make.
 */
export async function judgeBooks(database: Queryable, books: VendorBooks): Promise<Finding[]> {
  const orders = await database.query<OrderRow>(sql`SELECT * FROM box_order ORDER BY id`);
  return [
    ...orders.flatMap((order) => moneyOf(order, books)),
    ...accounts(books),
    ...orders.flatMap((order) => mealOf(order, books)),
    ...mealsOfNobody(orders, books),
    ...orders.flatMap(stuck),
    ...(await stock(database, orders)),
    ...(await otherTrades(database, books)),
  ];
}

function moneyOf(order: OrderRow, books: VendorBooks): Finding[] {
  const { order_no: orderNo } = order;
  const say = (what: string): Finding => ({ orderNo, what: `order ${orderNo} ${order.status}: ${what}` });
  const number = `P${orderNo}`;
  const kept = keptOf(books, number);
  const due = LIVE.includes(order.status) ? order.price_in_cent : 0;
  const refunds = books.refunds.filter(
    (refund) => refund.outTradeNo === number && refund.status === 'SUCCESS',
  );
  const found: Finding[] = [];
  if (kept !== due) found.push(say(`the energy center keeps ${kept} instead of ${due}`));
  if (refunds.length > 1) found.push(say(`${refunds.length} refunds`));
  if (order.refund === 'DONE' && kept > 0) found.push(say('it is called refunded'));
  return found;
}

/** What is left with the energy center of one payment: a coffee's, an order's. */
export function keptOf({ trades, refunds }: VendorBooks, outTradeNo: string): number {
  const trade = trades.find((one) => one.outTradeNo === outTradeNo);
  const back = refunds
    .filter((refund) => refund.outTradeNo === outTradeNo && refund.status === 'SUCCESS')
    .reduce((sum, one) => sum + one.amount, 0);
  return (trade?.status === 'SUCCESS' ? trade.amount : 0) - back;
}

/** The vendor's books with themselves: what left the account is what its trades keep. */
function accounts(books: VendorBooks): Finding[] {
  return books.accounts.flatMap(({ userId, balance, opened }) => {
    const kept = books.trades
      .filter((trade) => trade.userId === userId)
      .reduce((sum, trade) => sum + keptOf(books, trade.outTradeNo), 0);
    return opened - balance === kept
      ? []
      : [
          {
            orderNo: null,
            what: `${userId}: ${opened - balance} left the account, its payments keep ${kept}`,
          },
        ];
  });
}

function mealOf(order: OrderRow, { meals }: VendorBooks): Finding[] {
  const { order_no: orderNo, status, meican_order_id: id } = order;
  const say = (what: string): Finding => ({ orderNo, what: `order ${orderNo} ${status}: ${what}` });
  const meal = meals.find((one) => one.orderId === id);
  if (!LIVE.includes(status)) return meal?.live ? [say(`Meican still cooks ${meal.orderId}`)] : [];
  if (!meal?.live) return [say(id ? `Meican does not cook ${id}` : 'it has no meal')];
  const same =
    meal.email.toLowerCase() === order.email.toLowerCase() &&
    meal.mealDate === order.edible_date &&
    meal.mealType === order.meal_type &&
    meal.dishId === order.meican_dish_id;
  return same ? [] : [say(`${meal.orderId} is not its meal`)]; // that another channel placed it does not matter: Meican cooks it for this diner
}

function mealsOfNobody(orders: readonly OrderRow[], { meals }: VendorBooks): Finding[] {
  const owned = new Map(
    orders.flatMap((order) =>
      order.meican_order_id === null ? [] : [[order.meican_order_id, order] as const],
    ),
  );
  return meals.flatMap((meal) => {
    if (!meal.live || meal.foreign || owned.has(meal.orderId)) return [];
    const guess = orders.findLast(
      (order) =>
        order.email === meal.email &&
        order.meal_type === meal.mealType &&
        order.edible_date === meal.mealDate,
    );
    return [
      {
        orderNo: guess?.order_no ?? null,
        what: `Meican cooks ${meal.orderId} for ${meal.email}, and no order owns it (${guess?.order_no ?? 'none'}, ${guess?.status ?? ''})`,
      },
    ];
  });
}

/** Orders that nothing moves any more: at rest no event is open that could. */
function stuck({ order_no: orderNo, status, refund }: OrderRow): Finding[] {
  const found: Finding[] = [];
  if (status === 'PAYING' || status === 'ORDERING')
    found.push({ orderNo, what: `order ${orderNo} is ${status}, and nothing moves it` });
  if (refund === 'PENDING')
    found.push({ orderNo, what: `order ${orderNo} ${status}: its refund is PENDING, and nothing moves it` });
  return found;
}

async function stock(database: Queryable, orders: readonly OrderRow[]): Promise<Finding[]> {
  const live = orders.filter((order) => LIVE.includes(order.status));
  const dishes = await database.query<{ id: unknown; taken: number }>(
    sql`SELECT id, stock - remaining AS taken FROM box_dish`,
  );
  const cabinets = await database.query<{ id: unknown; taken: number }>(
    sql`SELECT id, capacity - remaining AS taken FROM box_sideboard`,
  );
  const check = (
    what: string,
    column: 'dish_id' | 'sideboard_id',
    rows: readonly { id: unknown; taken: number }[],
  ): Finding[] =>
    rows.flatMap((row) => {
      const wanted = live.filter((order) => String(order[column]) === String(row.id)).length;
      return Number(row.taken) === wanted
        ? []
        : [{ orderNo: null, what: `${what} ${String(row.id)}: ${row.taken} taken, ${wanted} live orders` }];
    });
  return [...check('dish', 'dish_id', dishes), ...check('cabinet', 'sideboard_id', cabinets)];
}

/** Coffee refunds and consumptions: what we say was done, once; nothing that waits for ever. */
async function otherTrades(database: Queryable, books: VendorBooks): Promise<Finding[]> {
  const found: Finding[] = [];
  const coffees = await database.query<{ trade_no: string; out_trade_no: string; status: string }>(
    sql`SELECT trade_no, out_trade_no, status FROM coffee_trade`,
  );
  for (const { trade_no: orderNo, out_trade_no, status } of coffees) {
    const refunds = books.refunds.filter(
      (refund) => refund.outTradeNo === out_trade_no && refund.status === 'SUCCESS',
    );
    if (status === 'PENDING')
      found.push({ orderNo, what: `coffee trade ${orderNo} is PENDING, and nothing moves it` });
    if (refunds.length !== (status === 'REFUNDED' ? 1 : 0))
      found.push({
        orderNo,
        what: `coffee trade ${orderNo} ${status}: ${refunds.length} refunds of ${out_trade_no}`,
      });
  }
  const known = await database.query<{ record_no: string; status: string }>(
    sql`SELECT record_no, status FROM canteen_consumption`,
  );
  for (const { record_no: orderNo, status } of known) {
    if (status === 'PENDING')
      found.push({ orderNo, what: `consumption ${orderNo} is PENDING, and nothing moves it` });
    if (status === 'SYNCED' && !books.consumptions.some((one) => one.recordNo === orderNo))
      found.push({ orderNo, what: `consumption ${orderNo} is called SYNCED` });
  }
  return found;
}

/** Nothing recorded, run or settled twice; what is errored has its alert. */
export async function judgeEvents(database: Queryable): Promise<string[]> {
  const found: string[] = [];
  const twice = await database.query<{ type: string; n: number }>(
    sql`SELECT type, COUNT(*) AS n FROM outbox_event WHERE type <> 'WECOM_ALERT' GROUP BY type, payload HAVING COUNT(*) > 1`,
  );
  for (const { type, n } of twice) found.push(`one ${type} was recorded ${n} times`);
  const overtaken = await database.query<{ event_id: unknown; number: number }>(sql`
    SELECT a.event_id, a.number FROM event_attempt a JOIN event_attempt b ON b.event_id = a.event_id AND b.number = a.number + 1
    WHERE a.finished_at IS NULL OR a.finished_at > b.started_at`);
  for (const { event_id, number } of overtaken)
    found.push(`event ${String(event_id)} was run again while its attempt ${number} was under way`);
  const silent = await database.query<{ id: unknown; type: string }>(sql`
    SELECT e.id, e.type FROM outbox_event e WHERE e.status = 'errored' AND e.type <> 'WECOM_ALERT' AND NOT EXISTS (SELECT 1 FROM alert_occurrence o WHERE o.event_id = e.id)`);
  for (const { id, type } of silent) found.push(`event ${String(id)} ${type} is errored and nobody was told`);
  return found;
}

/** By the number of what they are about: errored events, each with its code. Whoever is named there is in a person's hands. */
export async function namedByErrors(database: Queryable): Promise<Map<string, string>> {
  const rows = await database.query<{
    subject_no: string | null;
    type: string;
    last_error_code: string | null;
  }>(sql`SELECT subject_no, type, last_error_code FROM outbox_event WHERE status = 'errored'`);
  return new Map(
    rows.map(({ subject_no, type, last_error_code }) => [
      String(subject_no),
      `${type}: ${last_error_code ?? ''}`,
    ]),
  );
}
