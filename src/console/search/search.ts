import type { Database } from '../../database/database.js';
import { sql } from '../../database/sql.js';

export interface Hit {
  readonly kind: 'order' | 'event';
  readonly id: string;
  readonly what: string;
}

interface OrderRow {
  readonly id: unknown;
  readonly order_no: string;
  readonly status: string;
}

interface EventRow {
  readonly id: unknown;
  readonly type: string;
  readonly status: string;
  readonly subject_no: string | null;
}

const HITS_MAX = 20;
/** Payments are numbered P, refunds R and the order's number; a repaired refund has a suffix. */
const PAYMENT_OR_REFUND = /^[PR](\d{10,30})(?:-\d+)?$/;
const TRACE = /^(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$/;
const EVENT_ID = /^\d{1,18}$/;

/**
 * By order number, event id, user, Meican's order id, the energy center's payment or refund number, request
 * id, trace id, record or trade number. Each by an index, twenty hits at most.
 */
export async function search(database: Database, text: string): Promise<Hit[]> {
  const orderNo = PAYMENT_OR_REFUND.exec(text)?.[1] ?? text;
  const orders = await findOrders(database, text, orderNo);
  const exact = orders.find((row) => row.order_no === orderNo);
  if (exact) return [orderHit(exact)];
  const hits = orders.map(orderHit);
  if (hits.length > 0 && !EVENT_ID.test(text)) return hits.slice(0, HITS_MAX);
  const events = await findEvents(database, text);
  return [...hits, ...events.map(eventHit)].slice(0, HITS_MAX);
}

function findOrders(database: Database, text: string, orderNo: string): Promise<OrderRow[]> {
  return database.query<OrderRow>(sql`
    SELECT id, order_no, status FROM box_order WHERE order_no = ${orderNo}
    UNION SELECT id, order_no, status FROM box_order WHERE meican_order_id = ${text}
    UNION SELECT id, order_no, status FROM (SELECT id, order_no, status FROM box_order WHERE user_id = ${text} ORDER BY id DESC LIMIT 20) AS of_user`);
}

function findEvents(database: Database, text: string): Promise<EventRow[]> {
  const trace = TRACE.exec(text)?.[1];
  return database.query<EventRow>(sql`
    SELECT id, type, status, subject_no FROM outbox_event WHERE id = ${EVENT_ID.test(text) ? text : '0'}
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE subject_no = ${text} ORDER BY id DESC LIMIT 20) AS of_subject
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE request_id = ${text} ORDER BY id DESC LIMIT 20) AS of_request
    ${trace ? sql`UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE traceparent >= ${`00-${trace}-`} AND traceparent < ${`00-${trace}.`} ORDER BY id DESC LIMIT 20) AS of_trace` : sql``}`);
}

function orderHit({ id, order_no, status }: OrderRow): Hit {
  return { kind: 'order', id: String(id), what: `${order_no} ${status}` };
}

function eventHit({ id, type, status, subject_no }: EventRow): Hit {
  return { kind: 'event', id: String(id), what: `${type} ${subject_no ?? ''} ${status}` };
}
