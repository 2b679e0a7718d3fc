import type { Queryable } from '../database/database.js';
import { now, sql } from '../database/sql.js';

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
  'placed-again',
  'refund-again',
  'stock-released',
] as const;
export type StepKind = (typeof stepKinds)[number];

export async function writeStep(tx: Queryable, orderId: string, kind: StepKind, detail: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await tx.execute(sql`INSERT INTO order_step (order_id, at, kind, detail) VALUES (${orderId}, ${now}, ${kind}, ${JSON.stringify(detail)})`);
}
