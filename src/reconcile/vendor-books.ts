import type { EnergyClient } from '../clients/energy.js';
import type { ListedOrder, MeicanClient } from '../clients/meican.js';
import type { CallContext } from '../clients/transport.js';
import type { Database } from '../database/database.js';
import { after, sql } from '../database/sql.js';
import type { BoxOrder } from '../entities/box-order.js';
import type { Drift, DriftKind } from './drift.js';

export interface VendorComparison {
  /** Orders compared; those with something pending, or too young, are left for the next time. */
  readonly compared: number;
  /** Questions that got no answer: what they would have shown is not known. */
  readonly unanswered: number;
  /** Orders whose money was not asked about, because the time was up or nothing answered. */
  readonly notReached: number;
  /** Where to go on: the last order that was reached; null when all were. */
  readonly next: string | null;
  /** Question after question got no answer, so that the rest was not asked. */
  readonly silent: boolean;
  readonly guilty: readonly Drift[];
}

/** Questions to the energy center at once: half of what events may have (`SCHEDULER_CONCURRENCY`), so that no refund waits for a comparison. */
export const QUESTIONS_AT_ONCE = 5;
/** So many in a row without an answer, and the rest is left for the next time. */
const VAIN_IN_A_ROW_MAX = 20;

export interface CompareOptions {
  readonly day: string;
  /** Orders that changed more recently are still settling. Milliseconds. */
  readonly olderThanMs: number;
  /** No question begins after that. Milliseconds. */
  readonly budgetMs: number;
  /** Go on behind this order, where an earlier comparison ended. */
  readonly after?: string | undefined;
}

type ComparedOrder = Pick<
  BoxOrder,
  'id' | 'orderNo' | 'email' | 'corp' | 'status' | 'mealType' | 'priceInCent' | 'meicanOrderId'
>;
interface Row {
  id: unknown;
  order_no: string;
  email: string;
  corp: string;
  status: BoxOrder['status'];
  meal_type: BoxOrder['mealType'];
  price_in_cent: number;
  meican_order_id: string | null;
  moving: number | string;
}

/** The orders of one day against the vendors' own records: Meican's day list, the energy center's trades. Finds what no answer ever told. */
export async function compareWithVendors(
  database: Database,
  meican: MeicanClient,
  energy: EnergyClient,
  options: CompareOptions,
  context: CallContext,
): Promise<VendorComparison> {
  const rows = await database.query<Row>(sql`
    SELECT o.id, o.order_no, o.email, o.corp, o.status, o.meal_type, o.price_in_cent, o.meican_order_id,
      CASE WHEN o.updated_at > ${after(-options.olderThanMs)} OR EXISTS (SELECT 1 FROM outbox_event e WHERE e.subject_id = CAST(o.id AS CHAR) AND e.status = 'pending') THEN 1 ELSE 0 END AS moving
    FROM box_order o WHERE o.edible_date = ${options.day} ORDER BY o.id`);
  const all = rows.map((row) => ({ order: toOrder(row), moving: Number(row.moving) === 1 }));
  const settled = all.filter((one) => !one.moving).map((one) => one.order);
  const meals = await compareMeals(
    meican,
    options.day,
    all,
    await lossesAccepted(database, options.day),
    context,
  );
  const from = options.after === undefined ? 0n : BigInt(options.after);
  const money = await compareMoney(
    energy,
    settled.filter(({ id }) => BigInt(id) > from),
    options.budgetMs,
    context,
  );
  const { notReached, silent } = money;
  return {
    compared: settled.length - notReached,
    unanswered: meals.unanswered + money.unanswered,
    notReached,
    next: notReached === 0 ? null : (money.last ?? options.after ?? '0'),
    silent,
    guilty: [...meals.guilty, ...money.guilty],
  };
}

interface Part {
  guilty: Drift[];
  unanswered: number;
}

/** Meals that Meican would not take back, whose loss a person has accepted: Meican's ids. */
async function lossesAccepted(database: Database, day: string): Promise<ReadonlySet<string | null>> {
  const rows = await database.query<{ detail: string }>(sql`
    SELECT s.detail FROM box_order o JOIN order_step s ON s.order_id = o.id WHERE o.edible_date = ${day} AND s.kind = 'meal-loss-accepted'`);
  return new Set(
    rows.map(({ detail }) => (JSON.parse(detail) as { meicanOrderId: string | null }).meicanOrderId),
  );
}

async function compareMeals(
  meican: MeicanClient,
  day: string,
  all: readonly { order: ComparedOrder; moving: boolean }[],
  accepted: ReadonlySet<string | null>,
  context: CallContext,
): Promise<Part> {
  const part: Part = { guilty: [], unanswered: 0 };
  for (const corp of new Set(all.map(({ order }) => order.corp))) {
    const listed = await meican.listOrders(corp, day, context);
    if (listed.kind !== 'applied') {
      part.unanswered += 1;
      continue;
    }
    const ofCorp = all.filter(({ order }) => order.corp === corp);
    const open = listed.value.filter((meal) => !accepted.has(meal.orderId));
    part.guilty.push(
      ...ofCorp
        .filter(({ moving }) => !moving)
        .flatMap(({ order }) => mealDrift(order, order.status === 'ORDERED' ? listed.value : open)),
      ...unknownMeals(ofCorp, open),
    );
  }
  return part;
}

function mealDrift(order: ComparedOrder, listed: readonly ListedOrder[]): Drift[] {
  const cooked = order.meicanOrderId !== null && listed.some((meal) => meal.orderId === order.meicanOrderId);
  if (order.status === 'ORDERED' && !cooked)
    return [drift('meal-missing', order, `${order.status}, but Meican does not have ${order.meicanOrderId}`)];
  if (order.status !== 'ORDERED' && cooked)
    return [
      drift('meal-of-ended-order', order, `${order.status}, but Meican still has ${order.meicanOrderId}`),
    ];
  return [];
}

/** Meals that only we can have placed, because the diner ordered this meal with us, and that we do not know of. Others are the diner's own affair. */
function unknownMeals(
  ofCorp: readonly { order: ComparedOrder; moving: boolean }[],
  listed: readonly ListedOrder[],
): Drift[] {
  const known = new Set(ofCorp.map(({ order }) => order.meicanOrderId));
  return listed
    .filter((meal) => !known.has(meal.orderId))
    .flatMap((meal) => {
      const ours = ofCorp.filter(
        ({ order }) =>
          order.email.toLowerCase() === meal.email.toLowerCase() &&
          (meal.mealType === null || meal.mealType === order.mealType),
      );
      const [first] = ours;
      if (!first || ours.some(({ moving }) => moving)) return [];
      return [
        drift(
          'meal-unknown-to-us',
          first.order,
          `Meican has ${meal.orderId} for this diner and meal; we recorded no such id`,
          { meicanOrderId: meal.orderId },
        ),
      ];
    });
}

/** `last`: the last order that was asked about. */
type Money = Part & Pick<VendorComparison, 'notReached' | 'silent'> & { last: string | undefined };

/** One question for each order, a few at a time, in the order of their ids. */
async function compareMoney(
  energy: EnergyClient,
  orders: readonly ComparedOrder[],
  budgetMs: number,
  context: CallContext,
): Promise<Money> {
  const untilMs = performance.now() + budgetMs;
  const found = new Map<string, Drift[]>();
  let [begun, unanswered, vainInARow] = [0, 0, 0];
  const mayGoOn = (): boolean =>
    performance.now() < untilMs && vainInARow < VAIN_IN_A_ROW_MAX && context.signal?.aborted !== true;
  const ask = async (): Promise<void> => {
    while (begun < orders.length && mayGoOn()) {
      const order = orders[begun++] as ComparedOrder;
      const trade = await energy.queryPay(`P${order.orderNo}`, context);
      vainInARow = trade.kind === 'applied' ? 0 : vainInARow + 1;
      if (trade.kind === 'applied') found.set(order.id, moneyDrift(order, trade.value));
      else unanswered += 1;
    }
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, ask));
  return {
    guilty: orders.flatMap(({ id }) => found.get(id) ?? []),
    unanswered,
    notReached: orders.length - begun,
    last: orders[begun - 1]?.id,
    silent: vainInARow >= VAIN_IN_A_ROW_MAX,
  };
}

function moneyDrift(
  order: ComparedOrder,
  { state, amountInCent, refundedInCent }: { state: string; amountInCent: number; refundedInCent: number },
): Drift[] {
  const kept = state === 'SUCCESS' ? amountInCent - refundedInCent : 0;
  const wanted = order.status === 'ORDERED' || order.status === 'ORDERING' ? order.priceInCent : 0;
  if (kept < wanted)
    return [
      drift('money-missing', order, `${order.status}, price ${wanted}, but the energy center keeps ${kept}`),
    ];
  if (kept > wanted)
    return [
      drift(
        'money-kept',
        order,
        `${order.status}, but the energy center keeps ${kept} instead of ${wanted}`,
        { keptInCent: kept },
      ),
    ];
  return [];
}

function drift(
  kind: DriftKind,
  order: ComparedOrder,
  what: string,
  more: Pick<Drift, 'meicanOrderId' | 'keptInCent'> = {},
): Drift {
  return {
    kind,
    orderId: order.id,
    orderNo: order.orderNo,
    eventId: null,
    what,
    meicanOrderId: order.meicanOrderId,
    ...more,
  };
}

function toOrder(row: Row): ComparedOrder {
  return {
    id: String(row.id),
    orderNo: row.order_no,
    email: row.email,
    corp: row.corp,
    status: row.status,
    mealType: row.meal_type,
    priceInCent: row.price_in_cent,
    meicanOrderId: row.meican_order_id,
  };
}

/** One comparison of a day at a time in this process: whoever asks meanwhile gets the same one. */
export function sharedComparison(
  compare: (options: CompareOptions, context: CallContext) => Promise<VendorComparison>,
): (options: CompareOptions, context: CallContext) => Promise<VendorComparison> {
  const running = new Map<string, Promise<VendorComparison>>();
  return (options, context) => {
    const key = `${options.day} ${options.after ?? ''}`;
    const known = running.get(key);
    if (known !== undefined) return known;
    const work = compare(options, context).finally(() => running.delete(key));
    running.set(key, work);
    return work;
  };
}
