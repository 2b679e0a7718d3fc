import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { CallContext } from '../clients/transport.js';
import type { Database } from '../database/database.js';
import type { BoxOrder } from '../entities/box-order.js';
import type { ComparedOrder } from './compared.js';
import type { Drift } from './drift.js';
import { compareMeals, lossesAccepted } from './meals.js';
import { compareMoney } from './money.js';
import { ordersOfDay } from './statements.js';

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

export interface CompareOptions {
  readonly day: string;
  /** Orders that changed more recently are still settling. Milliseconds. */
  readonly olderThanMs: number;
  /** No question begins after that. Milliseconds. */
  readonly budgetMs: number;
  /** Go on behind this order, where an earlier comparison ended. */
  readonly after?: string | undefined;
}

interface Row {
  id: unknown;
  order_no: string;
  email: string;
  corp: string;
  status: BoxOrder['status'];
  meal_type: BoxOrder['mealType'];
  price_in_cent: number;
  granted_in_cent: number;
  meican_order_id: string | null;
  moving: number | string;
}

/**
 * Compares the orders of one day with the vendors' own records: Meican's day list, the energy center's
 * trades.
 */
export async function compareWithVendors(
  database: Database,
  meican: MeicanClient,
  energy: EnergyClient,
  options: CompareOptions,
  context: CallContext,
): Promise<VendorComparison> {
  const rows = await database.query<Row>(ordersOfDay(options.day, options.olderThanMs));
  const all = rows.map((row) => ({ order: toOrder(row), moving: Number(row.moving) === 1 }));
  const settled = all.filter((one) => !one.moving).map((one) => one.order);
  const accepted = await lossesAccepted(database, options.day);
  const meals = await compareMeals(meican, options.day, all, accepted, context);
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

function toOrder(row: Row): ComparedOrder {
  return {
    id: String(row.id),
    orderNo: row.order_no,
    email: row.email,
    corp: row.corp,
    status: row.status,
    mealType: row.meal_type,
    priceInCent: row.price_in_cent,
    grantedInCent: row.granted_in_cent,
    meicanOrderId: row.meican_order_id,
  };
}

/** One comparison of a day at a time in this process: a second request meanwhile gets the same one. */
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
