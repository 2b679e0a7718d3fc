import { crashPoint } from '../base/crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { join, raw, sql } from '../database/sql.js';
import { BoxOrder, liveStatuses } from '../entities/box-order.js';
import { coffeeRefund } from '../handlers/coffee-refund.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { type Act, audit } from '../operate/audit.js';
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
 * Carries a plan out. Each remedy is one transaction with its audit row, conditional on what it found, so that a plan that has become
 * old, or is applied twice, does nothing twice. `named`: order numbers whose careful remedies a person has looked at.
 */
export async function applyRepair(
  database: Database,
  plan: readonly Remedy[],
  named: readonly string[],
  act: Act,
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

async function applyOne(database: Database, { drift, verb }: Remedy, act: Act): Promise<Applied> {
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
    await tx.query(
      sql`SELECT id FROM box_order WHERE id = ${drift.orderId ?? ''} ${raw(tx.dialect.forUpdate)}`,
    );
    const order = await tx.manager.findOneBy(BoxOrder, { id: drift.orderId ?? '' });
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
  act: Act,
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

async function requeueAgain(database: Database, { eventId }: Drift, act: Act): Promise<Applied> {
  const result = await requeue(database, eventId ?? '', act);
  if (result.kind === 'done') return { kind: 'done', eventId };
  return skipped(result.kind === 'not-found' ? 'the event is gone' : `the event is ${result.status} now`);
}

/** Our own stock from our own orders. The row is locked before the orders are counted: who reserves or releases meanwhile comes after us. */
async function recount(database: Database, { stockOf, what }: Drift, act: Act): Promise<Applied> {
  if (!stockOf) return skipped('nothing to count');
  const [table, column, total] =
    stockOf.table === 'box_dish'
      ? ['box_dish', 'dish_id', 'stock']
      : ['box_sideboard', 'sideboard_id', 'capacity'];
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{ total: number | string; remaining: number | string }>(
      sql`SELECT ${raw(total)} AS total, remaining FROM ${raw(table)} WHERE id = ${stockOf.id} ${raw(tx.dialect.forUpdate)}`,
    );
    const [live] = await tx.query<{ n: number | string }>(
      sql`SELECT COUNT(*) AS n FROM box_order WHERE ${raw(column)} = ${stockOf.id} AND status IN (${join(liveStatuses)})`,
    );
    const remaining = Number(row?.total) - Number(live?.n);
    if (!row || remaining === Number(row.remaining)) return skipped('it agrees by now');
    if (remaining < 0) return skipped('there are more live orders than the total: a person must decide');
    await tx.execute(sql`UPDATE ${raw(table)} SET remaining = ${remaining} WHERE id = ${stockOf.id}`);
    await audit(tx, act, {
      verb: 'repair',
      targetType: stockOf.table === 'box_dish' ? 'dish' : 'sideboard',
      targetId: stockOf.id,
      subjectId: null,
      before: { remaining: Number(row.remaining), what },
      after: { remaining },
    });
    return { kind: 'done', eventId: null };
  });
}
