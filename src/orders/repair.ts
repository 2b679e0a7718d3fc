import type { Drift, DriftKind } from '../books/drift.js';
import { releaseStock } from '../books/release-stock.js';
import { writeStep } from '../books/step.js';
import { backToOrdering, endOrder, refundAgain } from '../books/transition.js';
import { crashPoint } from '../crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { fromSqlInstant, join, now, raw, sql } from '../database/sql.js';
import { BoxOrder, liveStatuses } from '../entities/box-order.js';
import { dinerCard } from '../handlers/diner-card.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { type Act, audit } from '../outbox/audit.js';
import { record } from '../outbox/record.js';
import { requeue } from '../outbox/requeue.js';
import type { EventDefinition } from '../outbox/types.js';

/** What would mend one difference of the books. */
export interface Remedy {
  readonly drift: Drift;
  /** `record` an event, `requeue` one, `recount` our own stock; `decide`: no machine can know. */
  readonly verb: 'record' | 'requeue' | 'recount' | 'decide';
  readonly eventType: string | null;
  readonly text: string;
  /** A person must look at this order first: it is applied only when named. */
  readonly careful: boolean;
}

export interface Repaired {
  readonly remedy: Remedy;
  readonly result: 'done' | 'skipped';
  readonly eventId: string | null;
  readonly why: string;
}

const remedies: Record<DriftKind, Omit<Remedy, 'drift'>> = {
  'stock-differs': { verb: 'recount', eventType: null, careful: false, text: 'set what remains to the total less the live orders' },
  'event-errored': { verb: 'requeue', eventType: null, careful: false, text: 'carry the event out again' },
  'meal-missing': {
    verb: 'record',
    eventType: meicanNewOrder.type,
    careful: false,
    text: 'before the cut-off: place it at Meican once more; after it: end the order, points back, tell the diner',
  },
  'meal-of-ended-order': { verb: 'record', eventType: meicanCancel.type, careful: false, text: 'cancel the meal at Meican' },
  'meal-unknown-to-us': {
    verb: 'record',
    eventType: meicanCancel.type,
    careful: true,
    text: 'cancel the meal at Meican, unless the diner ordered it in another way: look first, then name the order',
  },
  'money-missing': { verb: 'decide', eventType: null, careful: true, text: 'the diner has a meal that was not paid: no event may take money unasked' },
  'money-kept': { verb: 'record', eventType: energyCancel.type, careful: false, text: 'give the points back under the refund number of the order' },
};

/** A dry run: what would mend each difference. Changes nothing. */
export function planRepair(drifts: readonly Drift[]): Remedy[] {
  return drifts.map((drift) => ({ drift, ...remedies[drift.kind] }));
}

/**
 * Carries a plan out. Each remedy is one transaction with its audit row, conditional on what it found, so that a plan that has become
 * old, or is applied twice, does nothing twice. `named`: order numbers whose careful remedies a person has looked at.
 */
export async function applyRepair(database: Database, plan: readonly Remedy[], named: readonly string[], act: Act): Promise<Repaired[]> {
  const results: Repaired[] = [];
  for (const remedy of plan) {
    const { drift, verb, careful } = remedy;
    const skip = (why: string): Repaired => ({ remedy, result: 'skipped', eventId: null, why });
    if (verb === 'decide') results.push(skip('a person must decide'));
    else if (careful && !named.includes(drift.orderNo ?? '')) results.push(skip('look first, then name this order'));
    else {
      const eventId = await applyOne(database, remedy, act);
      results.push(eventId === null ? skip('it is no longer as it was found') : { remedy, result: 'done', eventId: eventId || null, why: remedy.text });
    }
  }
  return results;
}

/** The id of the event, '' when none was needed, null when there was nothing left to do. */
async function applyOne(database: Database, { drift, verb }: Remedy, act: Act): Promise<string | null> {
  if (verb === 'requeue') return (await requeue(database, drift.eventId ?? '', act)).kind === 'done' ? drift.eventId : null;
  if (verb === 'recount') return recount(database, drift, act);
  return database.transaction(async (tx) => {
    const order = await tx.manager.findOneBy(BoxOrder, { id: drift.orderId ?? '' });
    if (!order) return null;
    const eventId = await recordRemedy(tx, order, drift, act);
    if (eventId === null) return null;
    crashPoint('in-repair');
    await audit(tx, act, {
      verb: 'repair',
      targetType: 'order',
      targetId: order.id,
      subjectId: order.id,
      before: { status: order.status, found: drift.kind, what: drift.what },
      after: { eventId },
    });
    return eventId;
  });
}

async function recordRemedy(tx: Tx, order: BoxOrder, drift: Drift, act: Act): Promise<string | null> {
  const about = { subjectId: order.id, subjectNo: order.orderNo, requestId: act.requestId };
  const orderRef = { orderId: order.id, orderNo: order.orderNo };
  switch (drift.kind) {
    case 'meal-missing':
      return placeAgain(tx, order, drift, about);
    case 'meal-of-ended-order':
    case 'meal-unknown-to-us': {
      const meicanOrderId = drift.meicanOrderId ?? undefined;
      if (!meicanOrderId || (await isMovingFor(tx, order, meicanCancel))) return null;
      return (await record(tx, meicanCancel, { ...orderRef, meicanOrderId, repair: await nextNumber(tx, order, meicanCancel) }, about)).id;
    }
    case 'money-kept': {
      if (drift.keptInCent !== order.priceInCent || (await isMovingFor(tx, order, energyCancel))) return null;
      if (!(await refundAgain(tx, order.id))) return null;
      await writeStep(tx, order.id, 'refund-again', { amountInCent: order.priceInCent });
      return (await record(tx, energyCancel, { ...refundOf(order), repair: await nextNumber(tx, order, energyCancel) }, about)).id;
    }
    default:
      return null;
  }
}

async function placeAgain(tx: Tx, order: BoxOrder, drift: Drift, about: Parameters<typeof record>[3]): Promise<string | null> {
  const meicanOrderId = drift.meicanOrderId ?? '';
  const [clock] = await tx.query<{ now: unknown }>(sql`SELECT ${now} AS now`);
  if (fromSqlInstant(clock?.now) < order.cutoffAt) {
    if (!(await backToOrdering(tx, order.id, meicanOrderId))) return null;
    await writeStep(tx, order.id, 'placed-again', { missing: meicanOrderId });
    const payload = { orderId: order.id, orderNo: order.orderNo, repair: await nextNumber(tx, order, meicanNewOrder) };
    return (await record(tx, meicanNewOrder, payload, { ...about, deadlineAt: order.cutoffAt })).id;
  }
  if (!(await endOrder(tx, order.id, { to: 'ORDER_ERROR', from: ['ORDERED'], refund: 'PENDING', reason: drift.kind }))) return null;
  await writeStep(tx, order.id, 'order-error', { code: drift.kind, released: { dishId: order.dishId, sideboardId: order.sideboardId } });
  const { id } = await record(tx, energyCancel, refundOf(order), about);
  const { dishName, edibleDate, mealType, userId } = order;
  await record(tx, dinerCard, { orderId: order.id, orderNo: order.orderNo, userId, dishName, edibleDate, mealType }, about);
  await releaseStock(tx, [order]);
  return id;
}

const refundOf = (order: BoxOrder) => ({
  orderId: order.id,
  orderNo: order.orderNo,
  userId: order.userId,
  amountInCent: order.priceInCent,
  reason: order.status,
});

/** Something of this type is on its way for the order already: the difference may be on its way home. The order's row is locked first, so that two repairs take turns. */
async function isMovingFor(tx: Tx, order: BoxOrder, { type }: Pick<EventDefinition, 'type'>): Promise<boolean> {
  await tx.query(sql`SELECT id FROM box_order WHERE id = ${order.id} ${raw(tx.dialect.forUpdate)}`);
  const rows = await tx.query(sql`SELECT id FROM outbox_event WHERE subject_id = ${order.id} AND type = ${type} AND status = 'pending' LIMIT 1`);
  return rows.length > 0;
}

async function nextNumber(tx: Tx, order: BoxOrder, { type }: Pick<EventDefinition, 'type'>): Promise<number> {
  const [row] = await tx.query<{ n: number | string }>(sql`SELECT COUNT(*) AS n FROM outbox_event WHERE subject_id = ${order.id} AND type = ${type}`);
  return Number(row?.n) + 1;
}

/** Our own stock from our own orders. The row is locked before the orders are counted: who reserves or releases meanwhile comes after us. */
async function recount(database: Database, { stockOf, what }: Drift, act: Act): Promise<string | null> {
  if (!stockOf) return null;
  const [table, column, total] = stockOf.table === 'box_dish' ? ['box_dish', 'dish_id', 'stock'] : ['box_sideboard', 'sideboard_id', 'capacity'];
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{ total: number | string; remaining: number | string }>(
      sql`SELECT ${raw(total)} AS total, remaining FROM ${raw(table)} WHERE id = ${stockOf.id} ${raw(tx.dialect.forUpdate)}`,
    );
    const [live] = await tx.query<{ n: number | string }>(
      sql`SELECT COUNT(*) AS n FROM box_order WHERE ${raw(column)} = ${stockOf.id} AND status IN (${join(liveStatuses)})`,
    );
    const remaining = Number(row?.total) - Number(live?.n);
    if (!row || remaining === Number(row.remaining) || remaining < 0) return null;
    await tx.execute(sql`UPDATE ${raw(table)} SET remaining = ${remaining} WHERE id = ${stockOf.id}`);
    await audit(tx, act, {
      verb: 'repair',
      targetType: stockOf.table === 'box_dish' ? 'dish' : 'sideboard',
      targetId: stockOf.id,
      subjectId: null,
      before: { remaining: Number(row.remaining), what },
      after: { remaining },
    });
    return '';
  });
}
