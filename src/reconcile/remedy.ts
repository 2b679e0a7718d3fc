import { type EntityTarget, In } from 'typeorm';
import type { Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import type { BoxOrder } from '../entities/box-order.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import { type EventStatus, OutboxEvent } from '../entities/outbox-event.js';
import { coffeeRefund } from '../handlers/coffee-refund.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { dinerCard } from '../handlers/diner-card.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import type { Signature } from '../operate/audit.js';
import { doubt } from '../operate/doubt.js';
import { backToOrdering, endOrder, owedOf, refundAgain, refundDueOf, writeStep } from '../orders/order.js';
import { releaseStock } from '../orders/stock.js';
import { type RecordOptions, record } from '../outbox/record.js';
import type { EventDefinition } from '../outbox/types.js';
import type { Drift } from './drift.js';
import { moversOf } from './stuck.js';

/** What became of one remedy. `eventId` null: none was needed. */
export type Applied =
  | { readonly kind: 'done'; readonly eventId: string | null }
  | { readonly kind: 'skipped'; readonly why: string };

export const skipped = (why: string): Applied => ({ kind: 'skipped', why });

/**
 * Records the event that mends this difference, if the order, whose row the caller has locked, is still as it
 * was found.
 */
export async function recordRemedy(tx: Tx, order: BoxOrder, drift: Drift, act: Signature): Promise<Applied> {
  const about: RecordOptions = { subjectId: order.id, subjectNo: order.orderNo, requestId: act.requestId };
  switch (drift.kind) {
    case 'meal-missing':
      return placeMissing(tx, order, drift, about);
    case 'meal-of-ended-order':
    case 'meal-unknown-to-us':
      return cancelMeal(tx, order, drift, about);
    case 'money-kept':
      return refundKept(tx, order, drift, about);
    case 'payment-stuck':
      if (order.status !== 'PAYING') return skipped(`the order is ${order.status} now`);
      return (await movedBy(tx, order, moversOf['payment-stuck'])) ?? guardAgain(tx, order, about);
    case 'placement-stuck':
      if (order.status !== 'ORDERING') return skipped(`the order is ${order.status} now`);
      return (await movedBy(tx, order, moversOf['placement-stuck'])) ?? placeAgain(tx, order, about);
    case 'refund-stuck':
      return refundStuck(tx, order, about);
    default:
      return skipped('a person must decide');
  }
}

async function placeMissing(tx: Tx, order: BoxOrder, drift: Drift, about: RecordOptions): Promise<Applied> {
  const meicanOrderId = drift.meicanOrderId ?? '';
  if ((await tx.now()) < order.cutoffAt) {
    if (!(await backToOrdering(tx, order.id, meicanOrderId)))
      return skipped(`the order is ${order.status} now`);
    await writeStep(tx, order.id, 'placed-again', { missing: meicanOrderId });
    return done(
      await recordAnew(tx, order, meicanNewOrder, refOf(order), { ...about, deadlineAt: order.cutoffAt }),
    );
  }
  if (
    !(await endOrder(tx, order.id, {
      to: 'ORDER_ERROR',
      from: ['ORDERED'],
      refund: refundDueOf(order),
      reason: drift.kind,
    }))
  )
    return skipped(`the order is ${order.status} now`);
  await writeStep(tx, order.id, 'order-error', {
    code: drift.kind,
    released: { dishId: order.dishId, sideboardId: order.sideboardId },
  });
  const id = owedOf(order) > 0 ? await recordAnew(tx, order, energyCancel, refundOf(order), about) : null;
  const { dishName, edibleDate, mealType, userId } = order;
  await record(tx, dinerCard, { ...refOf(order), userId, dishName, edibleDate, mealType }, about);
  await releaseStock(tx, [order]);
  return done(id);
}

async function cancelMeal(
  tx: Tx,
  order: BoxOrder,
  { meicanOrderId }: Drift,
  about: RecordOptions,
): Promise<Applied> {
  if (!meicanOrderId) return skipped('Meican named no id');
  const moving = await pendingFor(tx, order, [meicanCancel.type]);
  return moving ?? done(await recordAnew(tx, order, meicanCancel, { ...refOf(order), meicanOrderId }, about));
}

async function refundKept(
  tx: Tx,
  order: BoxOrder,
  { keptInCent }: Drift,
  about: RecordOptions,
): Promise<Applied> {
  if (keptInCent !== owedOf(order))
    return skipped(`the energy center keeps ${keptInCent} of ${owedOf(order)}: a person must decide`);
  const moving = await pendingFor(tx, order, [energyCancel.type, energyRollback.type]);
  if (moving) return moving;
  if (order.refund === 'PENDING') return refundStuck(tx, order, about);
  if (!(await refundAgain(tx, order.id))) return skipped(`the order is ${order.status} now`);
  await writeStep(tx, order.id, 'refund-again', { amountInCent: owedOf(order) });
  return done(await recordAnew(tx, order, energyCancel, refundOf(order), about));
}

/**
 * By the way that the order ended: a payment that was never confirmed is closed first, so that it cannot land
 * after its refund.
 */
async function refundStuck(tx: Tx, order: BoxOrder, about: RecordOptions): Promise<Applied> {
  const isOpen =
    order.refund === 'PENDING' && ['USER_CANCEL', 'SYSTEM_CANCEL', 'ORDER_ERROR'].includes(order.status);
  if (!isOpen) return skipped(`the order is ${order.status}, its refund ${order.refund} now`);
  const neverConfirmed = order.status === 'SYSTEM_CANCEL';
  const movers =
    moversOf[neverConfirmed ? 'refund-stuck after a payment that was never confirmed' : 'refund-stuck'];
  const moving = await movedBy(tx, order, movers);
  if (moving) return moving;
  if (neverConfirmed) return guardAgain(tx, order, about);
  await writeStep(tx, order.id, 'refund-again', { amountInCent: owedOf(order) });
  return done(await recordAnew(tx, order, energyCancel, refundOf(order), about));
}

async function guardAgain(tx: Tx, order: BoxOrder, about: RecordOptions): Promise<Applied> {
  const { userId, priceInCent: amountInCent } = order;
  await writeStep(tx, order.id, 'guard-again', {});
  return done(await recordAnew(tx, order, energyRollback, { ...refOf(order), userId, amountInCent }, about));
}

/** What an earlier placement did is no longer known, so this one looks for the meal before it places one. */
async function placeAgain(tx: Tx, order: BoxOrder, about: RecordOptions): Promise<Applied> {
  await writeStep(tx, order.id, 'placed-again', {});
  const id = await recordAnew(tx, order, meicanNewOrder, refOf(order), {
    ...about,
    deadlineAt: order.cutoffAt,
  });
  await doubt(tx, id);
  return done(id);
}

/** What another system handed in, from the event that its row names: the same numbers, in doubt. */
export async function recordHandedIn(
  tx: Tx,
  { table, id }: NonNullable<Drift['handedIn']>,
  act: Signature,
): Promise<Applied> {
  const entity: EntityTarget<CoffeeTrade | CanteenConsumption> =
    table === 'coffee_trade' ? CoffeeTrade : CanteenConsumption;
  const row = await tx.manager.findOne(entity, { where: { id }, ...forUpdate(tx) });
  if (row?.status !== 'PENDING') return skipped(row ? `it is ${row.status} now` : 'it is gone');
  const event = await tx.manager.findOneBy(OutboxEvent, { id: row.eventId });
  if (!event) return skipped('its event is past its retention: a person must decide');
  if (event.status === 'pending' || event.status === 'errored')
    return skipped(`event ${row.eventId} is ${event.status}`);
  const definition = (table === 'coffee_trade' ? coffeeRefund : consumptionSync) as EventDefinition<object>;
  const payload = payloadOf(definition, event.payload);
  if (payload === null) return skipped('the payload of its event cannot be read: a person must decide');
  const about: RecordOptions = {
    requestId: act.requestId,
    ...(event.subjectNo === null ? {} : { subjectNo: event.subjectNo }),
  };
  const anew = await numbered(tx, definition, payload, about, 1);
  await doubt(tx, anew);
  await tx.manager.update(entity, { id, status: 'PENDING' }, { eventId: anew, updatedAt: instant(tx) });
  return done(anew);
}

function payloadOf<P>(definition: EventDefinition<P>, text: string): P | null {
  try {
    return definition.schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const done = (eventId: string | null): Applied => ({ kind: 'done', eventId });
const refOf = (order: BoxOrder) => ({ orderId: order.id, orderNo: order.orderNo });
const refundOf = (order: BoxOrder) => ({
  ...refOf(order),
  userId: order.userId,
  amountInCent: owedOf(order),
  reason: order.status,
});

/** An event of these types is pending for the order already, and may mend the difference. */
function pendingFor(tx: Tx, order: BoxOrder, types: readonly string[]): Promise<Applied | null> {
  return openFor(tx, order, types, ['pending']);
}

/** The same, and events that wait for a person, who is to requeue them. */
function movedBy(tx: Tx, order: BoxOrder, types: readonly string[]): Promise<Applied | null> {
  return openFor(tx, order, types, ['pending', 'errored']);
}

async function openFor(
  tx: Tx,
  order: BoxOrder,
  types: readonly string[],
  statuses: readonly EventStatus[],
): Promise<Applied | null> {
  const open = await tx.manager.findOne(OutboxEvent, {
    where: { subjectId: order.id, type: In(types), status: In(statuses) },
    order: { status: 'DESC' },
  });
  if (!open) return null;
  return skipped(
    open.status === 'pending'
      ? `event ${open.id} (${open.type}) is on its way`
      : `event ${open.id} (${open.type}) is errored: requeue it`,
  );
}

/**
 * Another event about the same order, under the first number that was never given: older events may be past
 * their retention.
 */
async function recordAnew<P extends object>(
  tx: Tx,
  order: BoxOrder,
  definition: EventDefinition<P>,
  payload: P,
  about: RecordOptions,
): Promise<string> {
  const given = await tx.manager.countBy(OutboxEvent, { subjectId: order.id, type: definition.type });
  return numbered(tx, definition, payload, about, given + 1);
}

async function numbered<P extends object>(
  tx: Tx,
  definition: EventDefinition<P>,
  payload: P,
  about: RecordOptions,
  first: number,
): Promise<string> {
  for (let repair = first; ; repair++) {
    const recorded = await record(tx, definition, { ...payload, repair }, about);
    if (recorded.isNew) return recorded.id;
  }
}
