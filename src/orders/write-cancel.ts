import { may } from '../base/caller.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import type { Tx } from '../database/database.js';
import type { BoxOrder } from '../entities/box-order.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { energyKey, meicanKey } from '../handlers/payloads.js';
import { complete, hold } from '../http/idempotency.js';
import { audit } from '../operate/audit.js';
import { expedite } from '../outbox/expedite.js';
import { pendingOf, record } from '../outbox/record.js';
import {
  type CancelBody,
  type Cancelling,
  type CancelRequest,
  type OrderRead,
  readEvents,
} from './cancelling.js';
import type { Grant } from './lock.js';
import { endOrder, owedOf, refundDueOf } from './order.js';
import { releaseStock } from './stock.js';
import { orderView } from './view.js';

/** T1 as an answer. `isAnswered`: the request carries nothing out itself, and T1 has kept the answer. */
export interface Cancelled {
  readonly body: CancelBody;
  readonly isAnswered: boolean;
}

/** The conditional UPDATE found the order in another state than it was read in. T1 rolls back. */
export class OrderChanged extends Error {}

/**
 * The statements of T1. The stock comes last, so that a hot dish stays locked for the shortest time. Throws
 * Problem, OrderChanged.
 */
export async function writeCancel(
  tx: Tx,
  cancelling: Cancelling,
  { order, now }: OrderRead,
  lock: Grant,
): Promise<Cancelled> {
  const { request, ticket, outbox, inlineBudgetMs } = cancelling;
  await hold(tx, ticket, [order.orderNo]);
  const at = now();
  if (at >= order.cutoffAt) throw new Problem('cutoff-passed');
  const refund = refundDueOf(order);
  const ending = { to: 'USER_CANCEL', refund, operator: request.caller.sub } as const;
  const { grantedInCent } = order;
  const read = { from: [order.status], grantedInCent };
  if (!(await endOrder(tx, order.id, { ...ending, ...read, reason: request.reason, at })))
    throw new OrderChanged();
  await recordRefundAndCancel(tx, cancelling, order);
  await auditOperator(tx, request, order);
  crashPoint('cancel-in-t1');
  const { to: status, ...ended } = ending;
  const body = {
    order: orderView({ ...order, ...ended, status, updatedAt: at }),
    events: await readEvents(tx, outbox, order.id),
  };
  const isAnswered = inlineBudgetMs === 0;
  if (isAnswered) await complete(tx, ticket, 202, body);
  const detail = storyOf(request, order, lock);
  await releaseStock(tx, [order], [{ orderId: order.id, kind: 'cancelled', detail }]);
  return { body, isAnswered };
}

async function recordRefundAndCancel(
  tx: Tx,
  { request, inlineBudgetMs }: Cancelling,
  order: BoxOrder,
): Promise<void> {
  const { id: orderId, orderNo, userId } = order;
  const amountInCent = owedOf(order);
  const about = {
    subjectId: orderId,
    subjectNo: orderNo,
    requestId: request.attempted.requestId,
    traceparent: request.traceparent,
    wake: inlineBudgetMs === 0,
  };
  const keys = { energy: energyKey(orderNo), meican: meicanKey(orderNo) };
  const pending = await pendingOf(tx, [keys.energy, keys.meican]);
  if (amountInCent > 0)
    await record(
      tx,
      energyCancel,
      { orderId, orderNo, userId, amountInCent, reason: 'USER_CANCEL' },
      { ...about, firstOfItsKey: !pending.has(keys.energy) },
    );
  if (pending.has(keys.meican)) await expedite(tx, keys.meican); // a waiting placement has nothing left to wait for
  await record(
    tx,
    meicanCancel,
    { orderId, orderNo },
    { ...about, deadlineAt: order.cutoffAt, firstOfItsKey: !pending.has(keys.meican) },
  );
}

/** A diner's own cancel stands in the order's story; only an operator's is an audited act. */
async function auditOperator(tx: Tx, request: CancelRequest, { id, status }: BoxOrder): Promise<void> {
  const { caller, reason, attempted } = request;
  if (!may(caller.role, 'act')) return;
  await audit(
    tx,
    { actor: caller.sub, role: caller.role, reason, requestId: attempted.requestId },
    {
      verb: 'cancel',
      targetType: 'order',
      targetId: id,
      subjectId: id,
      before: { status },
      after: { status: 'USER_CANCEL' },
    },
  );
}

function storyOf({ caller, reason, attempted }: CancelRequest, order: BoxOrder, lock: Grant) {
  return {
    operator: caller.sub,
    role: caller.role,
    from: order.status,
    reason,
    idempotencyKey: attempted.key,
    requestId: attempted.requestId,
    lock,
    released: { dishId: order.dishId, sideboardId: order.sideboardId },
  };
}
