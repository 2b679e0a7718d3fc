import type { BoxOrder, FulfilmentState } from '../entities/box-order.js';
import type { Complaint, ComplaintKind } from '../entities/complaint.js';
import type { FulfilmentWindows } from '../handlers/dependencies.js';

/** How an installation handles complaints. */
export interface ComplaintRules {
  readonly windows: FulfilmentWindows;
  /** Kinds of which the box comes back and is inspected before a refund is approved. */
  readonly inspectKinds: readonly ComplaintKind[];
  /** Milliseconds. */
  readonly alertAfterMs: number;
}

const DAY_MS = 86_400_000;
const ended: readonly FulfilmentState[] = ['PICKED_UP', 'NOT_PICKED_UP'];

/** Why the diner cannot complain about this order now; null: it can be complained about. */
export function whyNotComplain(order: BoxOrder, now: Date, { windows }: ComplaintRules): string | null {
  if (order.status !== 'ORDERED') return `the order is ${order.status}`;
  if (order.fulfilment === 'COMPLETED' || now.getTime() >= windowEndMs(order, windows.complaintMs))
    return 'the time for complaints about this order is over';
  return null;
}

/** Of an order of which nobody tells that it was picked up, the window runs from the end of its day. */
function windowEndMs({ fulfilment, fulfilmentAt, ...order }: BoxOrder, windowMs: number): number {
  if (fulfilmentAt && ended.includes(fulfilment)) return fulfilmentAt.getTime() + windowMs;
  const dayEndMs = Date.parse(`${order.edibleDate}T00:00:00+08:00`) + DAY_MS;
  return Math.max(dayEndMs, order.cutoffAt.getTime()) + windowMs;
}

export function needsInspection(
  { kind }: Pick<Complaint, 'kind'>,
  { inspectKinds }: ComplaintRules,
): boolean {
  return inspectKinds.includes(kind);
}
