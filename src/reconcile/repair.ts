import { In } from 'typeorm';
import { crashPoint } from '../base/crash-point.js';
import { Problem, WrongState } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { forUpdate } from '../database/locks.js';
import { BoxDish } from '../entities/box-dish.js';
import { BoxOrder, liveStatuses } from '../entities/box-order.js';
import { BoxSideboard } from '../entities/box-sideboard.js';
import { coffeeRefund } from '../handlers/coffee-refund.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { audit, type Signature } from '../operate/audit.js';
import { requeue } from '../operate/requeue.js';
import type { Drift, DriftKind } from './drift.js';
import { type Applied, recordHandedIn, recordRemedy, skipped } from './remedy.js';

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
  'stock-differs': {
    verb: 'recount',
    eventType: null,
    careful: false,
    text: 'set what remains to the total less the live orders',
  },
  'event-errored': { verb: 'requeue', eventType: null, careful: false, text: 'carry the event out again' },
  'meal-missing': {
    verb: 'record',
    eventType: meicanNewOrder.type,
    careful: false,
    text: 'before the cut-off: place it at Meican once more; after it: end the order, points back, tell the diner',
  },
  'meal-of-ended-order': {
    verb: 'record',
    eventType: meicanCancel.type,
    careful: false,
    text: 'cancel the meal at Meican',
  },
  'meal-unknown-to-us': {
    verb: 'record',
    eventType: meicanCancel.type,
    careful: true,
    text: 'cancel the meal at Meican, unless the diner ordered it in another way: look first, then name the order',
  },
  'money-missing': {
    verb: 'decide',
    eventType: null,
    careful: true,
    text: 'the diner has a meal that was not paid: no event may take money unasked',
  },
  'payment-stuck': {
    verb: 'record',
    eventType: energyRollback.type,
    careful: false,
    text: 'record the guard again: it ends the order, and gives back what was paid',
  },
  'placement-stuck': {
    verb: 'record',
    eventType: meicanNewOrder.type,
    careful: false,
    text: 'record the placement again: it looks for the meal first, then places it, or, past the cut-off, ends the order and gives the points back',
  },
  'refund-stuck': {
    verb: 'record',
    eventType: energyCancel.type,
    careful: false,
    text: 'record the refund again, under the refund number of the order',
  },
  'coffee-stuck': {
    verb: 'record',
    eventType: coffeeRefund.type,
    careful: false,
    text: 'record the refund again, under its own number',
  },
  'consumption-stuck': {
    verb: 'record',
    eventType: consumptionSync.type,
    careful: false,
    text: 'record the sync again, under its own number',
  },
  'money-kept': {
    verb: 'record',
    eventType: energyCancel.type,
    careful: false,
    text: 'give the points back under the refund number of the order',
  },
};

/** A dry run: what would mend each difference. Changes nothing. */
export function planRepair(drifts: readonly Drift[]): Remedy[] {
  return drifts.map((drift) => ({ drift, ...remedies[drift.kind] }));
}

/**
 * Carries a plan out. Each remedy is one transaction with its audit row, and conditional on the state that
 * was found: a plan that is old, or applied twice, does nothing twice. `named`: order numbers whose careful
 * remedies a person has looked at.
 */
export async function applyRepair(
  database: Database,
  plan: readonly Remedy[],
  named: readonly string[],
  act: Signature,
): Promise<Repaired[]> {
  const results: Repaired[] = [];
  for (const remedy of plan) {
    const { drift, verb, careful } = remedy;
    const skip = (why: string): Repaired => ({ remedy, result: 'skipped', eventId: null, why });
    if (verb === 'decide') results.push(skip('a person must decide'));
    else if (careful && !named.includes(drift.orderNo ?? ''))
      results.push(skip('look first, then name this order'));
    else {
      const applied = await applyOne(database, remedy, act);
      results.push(
        applied.kind === 'skipped'
          ? skip(applied.why)
          : { remedy, result: 'done', eventId: applied.eventId, why: remedy.text },
      );
    }
  }
  return results;
}

async function applyOne(database: Database, { drift, verb }: Remedy, act: Signature): Promise<Applied> {
  if (verb === 'requeue') return requeueAgain(database, drift, act);
  if (verb === 'recount') return recount(database, drift, act);
  return database.transaction(async (tx) => {
    const { handedIn } = drift;
    if (handedIn)
      return audited(tx, await recordHandedIn(tx, handedIn, act), act, drift, {
        type: handedIn.table,
        id: handedIn.id,
        subjectId: null,
      });
    // The order's row is locked first, so that two repairs take turns.
    const order = await tx.manager.findOne(BoxOrder, {
      where: { id: drift.orderId ?? '' },
      ...forUpdate(tx),
    });
    if (!order) return skipped('the order is gone');
    return audited(tx, await recordRemedy(tx, order, drift, act), act, drift, {
      type: 'order',
      id: order.id,
      subjectId: order.id,
      status: order.status,
    });
  });
}

interface Target {
  readonly type: string;
  readonly id: string;
  readonly subjectId: string | null;
  readonly status?: string;
}

async function audited(
  tx: Tx,
  applied: Applied,
  act: Signature,
  drift: Drift,
  { type, id, subjectId, status }: Target,
): Promise<Applied> {
  if (applied.kind === 'skipped') return applied;
  crashPoint('in-repair');
  await audit(tx, act, {
    verb: 'repair',
    targetType: type === 'canteen_consumption' ? 'consumption' : type,
    targetId: id,
    subjectId,
    before: { ...(status === undefined ? {} : { status }), found: drift.kind, what: drift.what },
    after: { eventId: applied.eventId },
  });
  return applied;
}

async function requeueAgain(database: Database, { eventId }: Drift, act: Signature): Promise<Applied> {
  try {
    await requeue(database, eventId ?? '', act);
    return { kind: 'done', eventId };
  } catch (error) {
    if (error instanceof WrongState) return skipped(`the event is ${error.currentStatus} now`);
    if (error instanceof Problem && error.code === 'not-found') return skipped('the event is gone');
    throw error;
  }
}

/**
 * Our own stock from our own orders. The row is locked before the orders are counted, so that a reservation
 * or a release that comes meanwhile waits.
 */
async function recount(database: Database, { stockOf, what }: Drift, act: Signature): Promise<Applied> {
  if (!stockOf) return skipped('nothing to count');
  return database.transaction(async (tx) => {
    const stock = await (stockOf.table === 'box_dish' ? dishOf(tx, stockOf.id) : sideboardOf(tx, stockOf.id));
    if (!stock || stock.before === stock.after) return skipped('it agrees by now');
    if (stock.after < 0) return skipped('there are more live orders than the total: a person must decide');
    await stock.write();
    await audit(tx, act, {
      verb: 'repair',
      targetType: stockOf.table === 'box_dish' ? 'dish' : 'sideboard',
      targetId: stockOf.id,
      subjectId: null,
      before: { remaining: stock.before, what },
      after: { remaining: stock.after },
    });
    return { kind: 'done', eventId: null };
  });
}

/** What remains by its row, and what should remain by the live orders. */
interface Counted {
  readonly before: number;
  readonly after: number;
  write(): Promise<unknown>;
}

async function dishOf(tx: Tx, id: string): Promise<Counted | null> {
  const row = await tx.manager.findOne(BoxDish, { where: { id }, ...forUpdate(tx) });
  if (!row) return null;
  const live = await tx.manager.countBy(BoxOrder, { dishId: id, status: In(liveStatuses) });
  const after = row.stock - live;
  return {
    before: row.remaining,
    after,
    write: () => tx.manager.update(BoxDish, { id }, { remaining: after }),
  };
}

async function sideboardOf(tx: Tx, id: string): Promise<Counted | null> {
  const row = await tx.manager.findOne(BoxSideboard, { where: { id }, ...forUpdate(tx) });
  if (!row) return null;
  const live = await tx.manager.countBy(BoxOrder, { sideboardId: id, status: In(liveStatuses) });
  const after = row.capacity - live;
  return {
    before: row.remaining,
    after,
    write: () => tx.manager.update(BoxSideboard, { id }, { remaining: after }),
  };
}
