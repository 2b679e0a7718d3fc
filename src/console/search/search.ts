import type { Database } from '../../database/database.js';
import { sql } from '../../database/sql.js';

export interface Hit {
  readonly kind: 'order' | 'event';
  readonly id: string;
  readonly what: string;
}

const HITS_MAX = 20;

/**
 * By order number, order id, event id, user, Meican's order id, the energy center's payment or refund number, request id, trace id, record
 * or trade number. Each by an index, twenty hits at most.
 */
export async function search(database: Database, text: string): Promise<Hit[]> {
  // Payments are numbered P, refunds R and the order's number; a repaired refund has a suffix.
  const orderNo = /^[PR](\d{10,30})(?:-\d+)?$/.exec(text)?.[1] ?? text;
  const trace = /^(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$/.exec(text)?.[1];
  const orders = await database.query<{ id: unknown; order_no: string; status: string }>(sql`
    SELECT id, order_no, status FROM box_order WHERE order_no = ${orderNo}
    UNION SELECT id, order_no, status FROM box_order WHERE meican_order_id = ${text}
    UNION SELECT id, order_no, status FROM (SELECT id, order_no, status FROM box_order WHERE user_id = ${text} ORDER BY id DESC LIMIT 20) AS of_user`);
  const [exact] = orders.filter((row) => row.order_no === orderNo);
  if (exact) return [{ kind: 'order', id: String(exact.id), what: `${exact.order_no} ${exact.status}` }];
  const isId = /^\d{1,18}$/.test(text);
  const events = await database.query<{
    id: unknown;
    type: string;
    status: string;
    subject_no: string | null;
  }>(sql`
    SELECT id, type, status, subject_no FROM outbox_event WHERE id = ${isId ? text : '0'}
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE subject_no = ${text} ORDER BY id DESC LIMIT 20) AS of_subject
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE request_id = ${text} ORDER BY id DESC LIMIT 20) AS of_request
    ${trace ? sql`UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE traceparent >= ${`00-${trace}-`} AND traceparent < ${`00-${trace}.`} ORDER BY id DESC LIMIT 20) AS of_trace` : sql``}`);
  const hits: Hit[] = orders.map((row) => ({
    kind: 'order',
    id: String(row.id),
    what: `${row.order_no} ${row.status}`,
  }));
  if (orders.length > 0 && !isId) return hits.slice(0, HITS_MAX);
  return [
    ...hits,
    ...events.map(
      (row): Hit => ({
        kind: 'event',
        id: String(row.id),
        what: `${row.type} ${row.subject_no ?? ''} ${row.status}`,
      }),
    ),
  ].slice(0, HITS_MAX);
}
