import type { Queryable } from '../database/database.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import type { Drift, DriftKind } from './drift.js';
import {
  isOrdering,
  isPaying,
  isRefundDue,
  isRollbackDue,
  ordersWaiting,
  type Waiting,
} from './statements.js';

const STUCK_MAX = 200;
const placement = meicanNewOrder.type;
const refund = energyCancel.type;
const guard = energyRollback.type;

/**
 * The event types that move an order on from this state. A pending event does it; an errored one waits for a
 * person.
 */
export const moversOf = {
  'payment-stuck': [guard],
  'placement-stuck': [placement],
  'refund-stuck': [refund],
  'refund-stuck after a payment that was never confirmed': [guard, refund],
} as const satisfies Record<string, readonly string[]>;

const kinds: readonly Waiting[] = [
  { kind: 'payment-stuck', state: isPaying, movers: moversOf['payment-stuck'] },
  { kind: 'placement-stuck', state: isOrdering, movers: moversOf['placement-stuck'] },
  { kind: 'refund-stuck', state: isRefundDue, movers: moversOf['refund-stuck'] },
  {
    kind: 'refund-stuck',
    state: isRollbackDue,
    movers: moversOf['refund-stuck after a payment that was never confirmed'],
  },
];

interface Stuck {
  readonly id: unknown;
  readonly order_no: string;
  readonly status: string;
  readonly edible_date: string;
  readonly kind: DriftKind;
}

/**
 * Orders, trades and till records that wait for an event which is not there: nothing moves them any more, and
 * no alert tells of them. Of one day, or of all. What a request is working on is never among them: it is
 * recorded with its event in one transaction.
 */
export async function findStuck(database: Queryable, day: string | null): Promise<Drift[]> {
  const rows = await database.query<Stuck>(ordersWaiting(database.dialect, kinds, day, STUCK_MAX));
  return [
    ...rows.map(stuckOrder),
    ...(await handedIn(database, 'coffee-stuck', CoffeeTrade)),
    ...(await handedIn(database, 'consumption-stuck', CanteenConsumption)),
  ];
}

function stuckOrder(row: Stuck): Drift {
  const refund = row.kind === 'refund-stuck' ? ', refund PENDING' : '';
  return {
    kind: row.kind,
    orderId: String(row.id),
    orderNo: row.order_no,
    eventId: null,
    what: `${row.status}${refund}, for ${row.edible_date}: no event will move it`,
  };
}

/**
 * Rows of another system whose event has ended, or is past its retention. By the index on the status, then by
 * primary key.
 */
async function handedIn(
  { manager }: Queryable,
  kind: DriftKind,
  entity: typeof CoffeeTrade | typeof CanteenConsumption,
): Promise<Drift[]> {
  const table = entity === CoffeeTrade ? 'coffee_trade' : 'canteen_consumption';
  const rows = await manager
    .createQueryBuilder<CoffeeTrade | CanteenConsumption>(entity, 't')
    .useIndex(`${table}_of_status`)
    .leftJoin(OutboxEvent, 'e', 'e.id = t.eventId')
    .where("t.status = 'PENDING' AND (e.id IS NULL OR e.status NOT IN ('pending', 'errored'))")
    .limit(STUCK_MAX)
    .getMany();
  return rows.map((row) => ({
    kind,
    orderId: null,
    orderNo: null,
    eventId: null,
    handedIn: { table, id: row.id },
    what: `${table} ${'tradeNo' in row ? row.tradeNo : row.recordNo} is PENDING: no event will move it`,
  }));
}
