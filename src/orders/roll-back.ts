import type { Tx } from '../database/database.js';
import { forUpdate } from '../database/locks.js';
import { inIds } from '../database/rows.js';
import { BoxOrder } from '../entities/box-order.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { letGo } from '../http/idempotency.js';
import { makeDue, settleWithoutRunning } from '../outbox/expedite.js';
import { endOrder, writeStep } from './order.js';
import type { Payment } from './pay.js';
import { guardOf, type Payments, type PlacedOrder, type Placing } from './placing.js';
import { releaseStock } from './stock.js';

/**
 * `surely-unpaid`: no points were taken for any of them, so stock and money are as before.
 * `rolled-back`: the guards give back what was, or may have been, taken.
 * `confirmed`: another run of this request, from which this one had taken over, has paid and confirmed them;
 * nothing is undone.
 */
export type RolledBack = 'surely-unpaid' | 'rolled-back' | 'confirmed';

/**
 * All orders of the request: PAYING → SYSTEM_CANCEL, stock back. The guard of an order that may have been
 * paid falls due now.
 */
export async function rollBack(
  { database, ticket }: Placing,
  orders: readonly PlacedOrder[],
  payments: Payments,
): Promise<RolledBack> {
  return database.transaction(async (tx) => {
    if (await areConfirmed(tx, orders)) return 'confirmed';
    // Another run of this request, one that died or one that took over, may have paid. Then none of our
    // answers proves anything.
    const onlyWePaid = (await letGo(tx, ticket)) && ticket.resume.length === 0 && payments.size > 0;
    const ended: PlacedOrder[] = [];
    let areUnpaid = true;
    for (const order of orders) {
      const payment = payments.get(order.id) ?? 'not-sent';
      const isUnpaid = onlyWePaid && tookNothing(payment);
      areUnpaid &&= isUnpaid;
      if (await endUnconfirmed(tx, order, payment, isUnpaid)) ended.push(order);
    }
    await releaseStock(tx, ended);
    return areUnpaid ? 'surely-unpaid' : 'rolled-back';
  });
}

/** Locks the orders, so that none of them can change before the commit. */
async function areConfirmed(tx: Tx, orders: readonly PlacedOrder[]): Promise<boolean> {
  if (orders.length === 0) return false;
  const rows = await tx.manager.find(BoxOrder, {
    select: { id: true, status: true },
    where: { id: inIds(orders.map(({ id }) => id)) },
    order: { id: 'ASC' },
    ...forUpdate(tx),
  });
  return rows.length > 0 && rows.every(({ status }) => status !== 'PAYING' && status !== 'SYSTEM_CANCEL');
}

/**
 * What the energy center answered; `not-sent`: an earlier meal of the request failed, so this one was not
 * paid at all.
 */
type Answered = Payment | 'not-sent';

function tookNothing(payment: Answered): boolean {
  return payment === 'not-sent' || payment.kind === 'rejected' || payment.kind === 'not-applied';
}

/** False: the order is no longer PAYING, and nothing was written. */
async function endUnconfirmed(
  tx: Tx,
  order: PlacedOrder,
  payment: Answered,
  isUnpaid: boolean,
): Promise<boolean> {
  const isEnded = await endOrder(tx, order.id, {
    to: 'SYSTEM_CANCEL',
    from: ['PAYING'],
    refund: isUnpaid ? 'NONE' : 'PENDING',
    reason: payment === 'not-sent' ? 'another-meal-failed' : payment.kind,
  });
  if (!isEnded) return false;
  await writeStep(tx, order.id, stepOf(payment), {
    code: payment !== 'not-sent' && payment.kind !== 'applied' ? payment.code : null,
    released: { dishId: order.dishId, sideboardId: order.sideboardId },
  });
  if (isUnpaid) await settleWithoutRunning(tx, energyRollback, guardOf(order));
  else await makeDue(tx, energyRollback, guardOf(order));
  return true;
}

function stepOf(payment: Answered): 'pay-refused' | 'pay-not-sent' | 'pay-unknown' {
  if (payment === 'not-sent') return 'pay-not-sent';
  switch (payment.kind) {
    case 'rejected':
      return 'pay-refused';
    case 'not-applied':
      return 'pay-not-sent';
    case 'applied': // another meal failed, so that this payment goes back through its guard
    case 'unknown':
      return 'pay-unknown';
  }
}
