import { In, IsNull, Not } from 'typeorm';
import type { Queryable, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { BoxOrder, type OrderStatus, type RefundState } from '../entities/box-order.js';
import {
  insertSteps,
  meicanCancelled,
  refundSettled,
  toEnded,
  toGranted,
  toOrderedFromOrdering,
  toOrderingFromPaying,
} from './statements.js';

/**
 * The states of an order. Each change is one conditional UPDATE. False: the order was no longer in the state
 * that the change leaves, and the caller does nothing more.
 */

export async function toOrdering(tx: Tx, orderId: string, at: Date): Promise<boolean> {
  return changed(await tx.execute(toOrderingFromPaying(orderId, at)));
}

export async function toOrdered(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  return changed(await tx.execute(toOrderedFromOrdering(orderId, meicanOrderId)));
}

export interface Ending {
  readonly to: 'USER_CANCEL' | 'SYSTEM_CANCEL' | 'ORDER_ERROR';
  readonly from: readonly OrderStatus[];
  readonly refund: RefundState;
  readonly operator?: string | null;
  readonly reason?: string | null;
  /** The database's now, if the caller has read it already. */
  readonly at?: Date;
  /** What was granted when the caller read the order: the refund is the rest of the price. */
  readonly grantedInCent?: number;
}

/**
 * Ends a live order. Only the caller that gets true releases its stock (`releaseStock`), in the same
 * transaction.
 */
export async function endOrder(tx: Tx, orderId: string, ending: Ending): Promise<boolean> {
  const { operator = null, reason = null, at = null, grantedInCent = null } = ending;
  return changed(await tx.execute(toEnded(orderId, { ...ending, operator, reason, at, grantedInCent })));
}

/** Meican does not have the meal that it confirmed: the order waits to be placed again. */
export async function backToOrdering(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  const again = { status: 'ORDERING', meicanOrderId: null, updatedAt: instant(tx) } as const;
  return changed(await tx.manager.update(BoxOrder, { id: orderId, status: 'ORDERED', meicanOrderId }, again));
}

/** Grants a part of the price of an order that stands. False: it has ended, or more than its price would be granted. */
export async function grant(tx: Tx, orderId: string, amountInCent: number): Promise<boolean> {
  return changed(await tx.execute(toGranted(orderId, amountInCent)));
}

/** What is still the diner's if the order ends: of the price, what no complaint has been granted. */
export function owedOf({
  priceInCent,
  grantedInCent,
}: Pick<BoxOrder, 'priceInCent' | 'grantedInCent'>): number {
  return priceInCent - grantedInCent;
}

/** Of an order that ends: nothing is left to give back where the whole price was granted. */
export function refundDueOf(order: Pick<BoxOrder, 'priceInCent' | 'grantedInCent'>): RefundState {
  return owedOf(order) > 0 ? 'PENDING' : 'DONE';
}

/** The energy center still keeps the points of an ended order, whatever was answered before. */
export async function refundAgain(tx: Tx, orderId: string): Promise<boolean> {
  const where = { id: orderId, refund: Not('PENDING'), status: In(endedStatuses) } as const;
  return changed(await tx.manager.update(BoxOrder, where, { refund: 'PENDING', updatedAt: instant(tx) }));
}

/** Stores the vendor's id on an order that has none. */
export async function learnMeicanOrderId(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  const where = { id: orderId, meicanOrderId: IsNull() };
  return changed(await tx.manager.update(BoxOrder, where, { meicanOrderId, updatedAt: instant(tx) }));
}

export async function markMeicanCancelled(tx: Tx, orderId: string): Promise<boolean> {
  return changed(await tx.execute(meicanCancelled(orderId)));
}

export async function setRefund(tx: Tx, orderId: string, refund: RefundState): Promise<boolean> {
  return changed(await tx.execute(refundSettled(orderId, refund)));
}

const endedStatuses = [
  'USER_CANCEL',
  'SYSTEM_CANCEL',
  'ORDER_ERROR',
] as const satisfies readonly OrderStatus[];

function changed({ affected }: { affected?: number | null }): boolean {
  return affected === 1;
}

/**
 * What happened to an order in our own books: one row for each step, written in the transaction that did it.
 */
const stepKinds = [
  'placed',
  'paid',
  'pay-refused',
  'pay-not-sent',
  'pay-unknown',
  'payment-rolled-back',
  'ordered',
  'meican-order-known',
  'order-error',
  'cancelled',
  'refunded',
  'nothing-to-refund',
  'meican-cancelled',
  'meal-loss-accepted',
  'placed-again',
  'refund-again',
  'guard-again',
  'fulfilment',
  'complaint-applied',
  'complaint-granted',
  'complaint-refunded',
  'stock-released',
] as const;
export type StepKind = (typeof stepKinds)[number];

export interface Step {
  readonly orderId: string;
  readonly kind: StepKind;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export async function writeStep(
  tx: Queryable,
  orderId: string,
  kind: StepKind,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await writeSteps(tx, [{ orderId, kind, detail }]);
}

/** Several at once, in the order in which they happened. */
export async function writeSteps(tx: Queryable, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  const rows = steps.map(({ detail = {}, ...step }) => ({ ...step, detail: JSON.stringify(detail) }));
  await tx.execute(insertSteps(rows));
}
