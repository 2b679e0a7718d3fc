import type { Queryable, Tx } from '../database/database.js';
import { join, now, sql } from '../database/sql.js';
import type { OrderStatus, RefundState } from '../entities/box-order.js';

/** The states of an order. Each change is one conditional UPDATE; false: the order was no longer in a state to leave, and the caller does nothing more. */

export async function toOrdering(tx: Tx, orderId: string, at: Date): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET status = 'ORDERING', updated_at = ${at} WHERE id = ${orderId} AND status = 'PAYING'`,
    ),
  );
}

export async function toOrdered(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET status = 'ORDERED', meican_order_id = ${meicanOrderId}, updated_at = ${now} WHERE id = ${orderId} AND status = 'ORDERING'`,
    ),
  );
}

export interface Ending {
  readonly to: 'USER_CANCEL' | 'SYSTEM_CANCEL' | 'ORDER_ERROR';
  readonly from: readonly OrderStatus[];
  readonly refund: RefundState;
  readonly operator?: string | null;
  readonly reason?: string | null;
  /** Now, where the caller knows it and tells it on. */
  readonly at?: Date;
}

/** Ends a live order. Whoever gets true, and nobody else, releases its stock (`release`) in the same transaction. */
export async function endOrder(tx: Tx, orderId: string, ending: Ending): Promise<boolean> {
  return changed(
    await tx.execute(sql`
      UPDATE box_order SET status = ${ending.to}, refund = ${ending.refund}, live_key = NULL, operator = ${ending.operator ?? null}, cancel_reason = ${ending.reason ?? null}, updated_at = ${ending.at ?? now}
      WHERE id = ${orderId} AND status IN (${join(ending.from)})`),
  );
}

/** Meican does not have the meal that it confirmed: the order waits to be placed again. */
export async function backToOrdering(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET status = 'ORDERING', meican_order_id = NULL, updated_at = ${now} WHERE id = ${orderId} AND status = 'ORDERED' AND meican_order_id = ${meicanOrderId}`,
    ),
  );
}

/** The energy center still keeps the points of an ended order, whatever was answered before. */
export async function refundAgain(tx: Tx, orderId: string): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET refund = 'PENDING', updated_at = ${now} WHERE id = ${orderId} AND refund <> 'PENDING' AND status IN ('USER_CANCEL', 'SYSTEM_CANCEL', 'ORDER_ERROR')`,
    ),
  );
}

/** Stores the vendor's id on an order that has none. */
export async function learnMeicanOrderId(tx: Tx, orderId: string, meicanOrderId: string): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET meican_order_id = ${meicanOrderId}, updated_at = ${now} WHERE id = ${orderId} AND meican_order_id IS NULL`,
    ),
  );
}

export async function markMeicanCancelled(tx: Tx, orderId: string): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET meican_cancelled_at = ${now}, updated_at = ${now} WHERE id = ${orderId} AND meican_cancelled_at IS NULL`,
    ),
  );
}

export async function setRefund(tx: Tx, orderId: string, refund: RefundState): Promise<boolean> {
  return changed(
    await tx.execute(
      sql`UPDATE box_order SET refund = ${refund}, updated_at = ${now} WHERE id = ${orderId} AND refund = 'PENDING'`,
    ),
  );
}

function changed({ affected }: { affected: number }): boolean {
  return affected === 1;
}

/** What happened to an order in our own books: one row for each, written in the transaction that did it. */
export const stepKinds = [
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
  const rows = steps.map(
    ({ orderId, kind, detail = {} }) => sql`(${orderId}, ${now}, ${kind}, ${JSON.stringify(detail)})`,
  );
  await tx.execute(sql`INSERT INTO order_step (order_id, at, kind, detail) VALUES ${join(rows)}`);
}
