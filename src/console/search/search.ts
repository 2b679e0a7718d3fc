import type { Database } from '../../database/database.js';
import { eventsCalled, ordersCalled } from '../statements.js';

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
  const orders = await database.query<OrderRow>(ordersCalled(orderNo, text, HITS_MAX));
  const exact = orders.find((row) => row.order_no === orderNo);
  if (exact) return [orderHit(exact)];
  const hits = orders.map(orderHit);
  if (hits.length > 0 && !EVENT_ID.test(text)) return hits.slice(0, HITS_MAX);
  const id = EVENT_ID.test(text) ? text : '0';
  const trace = TRACE.exec(text)?.[1];
  const events = await database.query<EventRow>(eventsCalled(id, text, trace, HITS_MAX));
  return [...hits, ...events.map(eventHit)].slice(0, HITS_MAX);
}

function orderHit({ id, order_no, status }: OrderRow): Hit {
  return { kind: 'order', id: String(id), what: `${order_no} ${status}` };
}

function eventHit({ id, type, status, subject_no }: EventRow): Hit {
  return { kind: 'event', id: String(id), what: `${type} ${subject_no ?? ''} ${status}` };
}
