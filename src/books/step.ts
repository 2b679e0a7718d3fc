import type { Queryable } from '../database/database.js';
import { join, now, sql } from '../database/sql.js';

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

export async function writeStep(tx: Queryable, orderId: string, kind: StepKind, detail: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await writeSteps(tx, [{ orderId, kind, detail }]);
}

/** Several at once, in the order in which they happened. */
export async function writeSteps(tx: Queryable, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  const rows = steps.map(({ orderId, kind, detail = {} }) => sql`(${orderId}, ${now}, ${kind}, ${JSON.stringify(detail)})`);
  await tx.execute(sql`INSERT INTO order_step (order_id, at, kind, detail) VALUES ${join(rows)}`);
}
