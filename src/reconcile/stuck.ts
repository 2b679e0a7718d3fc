import type { Queryable } from '../database/database.js';
import { join, raw, type Sql, sql } from '../database/sql.js';
import type { Drift, DriftKind } from './drift.js';

const STUCK_MAX = 200;
const placement = 'MEICAN_NEW_V2_ORDER';
const refund = 'ENERGY_CENTER_V2_CANCEL';
const guard = 'ENERGY_CENTER_ROLLBACK_V2_ERROR';

/** The event types that will move an order which is in this state on; a pending one does it, an errored one waits for a person and is named as such. */
export const moversOf = {
  'payment-stuck': [guard],
  'placement-stuck': [placement],
  'refund-stuck': [refund],
  'refund-stuck after a payment that was never confirmed': [guard, refund],
} as const satisfies Record<string, readonly string[]>;

/**
 * What waits for an event that is not there: nothing moves it any more, and nobody would be called. Of one day, or of all. What a request works on
 * is never among them: whatever it leaves behind is recorded with its event in one transaction.
 */
export async function findStuck(database: Queryable, day: string | null): Promise<Drift[]> {
  const rows = await database.query<{
    id: unknown;
    order_no: string;
    status: string;
    edible_date: string;
    kind: DriftKind;
  }>(sql`
    ${waiting('payment-stuck', sql`o.status = 'PAYING'`, moversOf['payment-stuck'])} UNION ALL
    ${waiting('placement-stuck', sql`o.status = 'ORDERING'`, moversOf['placement-stuck'])} UNION ALL
    ${waiting('refund-stuck', sql`o.status IN ('USER_CANCEL', 'ORDER_ERROR') AND o.refund = 'PENDING'`, moversOf['refund-stuck'])} UNION ALL
    ${waiting('refund-stuck', sql`o.status = 'SYSTEM_CANCEL' AND o.refund = 'PENDING'`, moversOf['refund-stuck after a payment that was never confirmed'])}`);
  const orders = rows.map(
    (row): Drift => ({
      kind: row.kind,
      orderId: String(row.id),
      orderNo: row.order_no,
      eventId: null,
      what: `${row.status}${row.kind === 'refund-stuck' ? ', refund PENDING' : ''}, for ${row.edible_date}: no event will move it`,
    }),
  );
  return [
    ...orders,
    ...(await handedIn(database, 'coffee-stuck', 'coffee_trade', 'trade_no')),
    ...(await handedIn(database, 'consumption-stuck', 'canteen_consumption', 'record_no')),
  ];

  /** Index box_order_of_status_refund leads to the few that are open; outbox_event_subject to the events of each. */
  function waiting(kind: DriftKind, state: Sql, movers: readonly string[]): Sql {
    return sql`
      SELECT * FROM (SELECT o.id, o.order_no, o.status, o.edible_date, ${kind} AS kind FROM box_order o ${raw(database.dialect.useIndex('box_order_of_status_refund'))}
      WHERE ${state} ${day === null ? sql`` : sql`AND o.edible_date = ${day}`} AND NOT EXISTS (
        SELECT 1 FROM outbox_event e ${raw(database.dialect.useIndex('outbox_event_subject'))}
        WHERE e.subject_id = CAST(o.id AS CHAR) AND e.type IN (${join(movers)}) AND e.status IN ('pending', 'errored')) LIMIT ${raw(String(STUCK_MAX))}) AS waiting`;
  }
}

async function handedIn(
  database: Queryable,
  kind: DriftKind,
  table: 'coffee_trade' | 'canteen_consumption',
  number: string,
): Promise<Drift[]> {
  const rows = await database.query<{ id: unknown; number: string }>(sql`
    SELECT t.id, t.${raw(number)} AS number FROM ${raw(table)} t ${raw(database.dialect.useIndex(`${table}_of_status`))} LEFT JOIN outbox_event e ON e.id = t.event_id
    WHERE t.status = 'PENDING' AND (e.id IS NULL OR e.status NOT IN ('pending', 'errored')) LIMIT ${raw(String(STUCK_MAX))}`);
  return rows.map((row) => ({
    kind,
    orderId: null,
    orderNo: null,
    eventId: null,
    handedIn: { table, id: String(row.id) },
    what: `${table} ${row.number} is PENDING: no event will move it`,
  }));
}
