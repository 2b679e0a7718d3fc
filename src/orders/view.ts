import { toRfc3339 } from '../base/clock.js';
import type { BoxOrder } from '../entities/box-order.js';
import type { OutboxEvent } from '../entities/outbox-event.js';

const orderMembers = [
  'id',
  'orderNo',
  'userId',
  'garden',
  'corp',
  'status',
  'dishId',
  'dishName',
  'sideboardId',
  'addressId',
  'edibleDate',
  'mealType',
  'priceInCent',
  'meicanOrderId',
  'operator',
  'refund',
  'fulfilment',
  'grantedInCent',
] as const;

type Shown = Pick<BoxOrder, (typeof orderMembers)[number]>;

/** The order as the API shows it: no e-mail, no name. */
export function orderView(order: Shown & Pick<BoxOrder, 'createdAt' | 'updatedAt'>) {
  const shown = Object.fromEntries(orderMembers.map((member) => [member, order[member]])) as Shown;
  return { ...shown, createdAt: toRfc3339(order.createdAt), updatedAt: toRfc3339(order.updatedAt) };
}

export function eventView(event: OutboxEvent, failuresMax: number) {
  const { id, type, status, attempt, failures, outcome } = event;
  return {
    id,
    type,
    status,
    orderId: event.subjectId, // only events about an order have a subject id
    orderNo: event.subjectId === null ? null : event.subjectNo,
    attempt,
    failures,
    failuresMax,
    runAt: toRfc3339(event.runAt),
    leaseUntil: event.leaseUntil ? toRfc3339(event.leaseUntil) : null,
    outcome,
    lastError:
      event.lastErrorCode === null
        ? null
        : { code: event.lastErrorCode, message: event.lastErrorMessage ?? '' },
    createdAt: toRfc3339(event.createdAt),
    settledAt: event.settledAt ? toRfc3339(event.settledAt) : null,
  };
}

export type OrderView = ReturnType<typeof orderView>;
export type EventView = ReturnType<typeof eventView>;
