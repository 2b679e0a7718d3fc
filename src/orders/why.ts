import type { Database } from '../database/database.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { type Why, why } from '../operate/why.js';
import type { Registry } from '../outbox/registry.js';
import { openComplaintOf } from './complaint.js';
import { findOrder } from './find.js';

export interface OrderWhy {
  readonly orderId: string;
  readonly orderNo: string;
  readonly status: string;
  readonly complaint: OpenComplaint | null;
  /** What is still under way, or waits for a person, oldest first; empty: nothing more will happen. */
  readonly events: readonly { readonly id: string; readonly type: string; readonly why: Why }[];
}

/** It waits for a person, or, once APPROVED, for its refund. */
export interface OpenComplaint {
  readonly id: string;
  readonly state: string;
  readonly since: Date;
}

/**
 * Why an order is in its state: each of its events that has not ended. By id or number. Throws Problem
 * `not-found`.
 */
export async function whyOrder(database: Database, registry: Registry, wanted: string): Promise<OrderWhy> {
  const order = await findOrder(database, wanted);
  const events = (
    await database.manager.find(OutboxEvent, { where: { subjectId: order.id }, order: { id: 'ASC' } })
  ).filter(({ status }) => status === 'pending' || status === 'errored');
  const reasons = [];
  for (const event of events)
    reasons.push({ id: event.id, type: event.type, why: await why(database, registry, event) });
  const open = await openComplaintOf(database, order.id);
  const complaint = open && { id: open.id, state: open.state, since: open.stateAt };
  return { orderId: order.id, orderNo: order.orderNo, status: order.status, complaint, events: reasons };
}
