import { LessThan } from 'typeorm';
import { type AlertGroup, loadGroup } from '../alerts/group.js';
import type { Database } from '../database/database.js';
import { fromSqlInstant, raw, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';

const LIST_MAX = 50;

export interface Listed<T> {
  readonly rows: readonly T[];
  /** The cursor of the next page, or null. */
  readonly nextId: string | null;
}

/** Newest first, fifty at a time, by id: rows that are added while somebody pages neither repeat nor skip any. */
export async function listOrders(
  database: Database,
  filter: { userId?: string | undefined; edibleDate?: string | undefined; beforeId?: string | undefined },
): Promise<Listed<BoxOrder>> {
  const { beforeId, ...equal } = filter;
  const where = Object.fromEntries(Object.entries(equal).filter(([, value]) => value));
  const rows = await database.manager.find(BoxOrder, {
    where: { ...where, ...(beforeId ? { id: LessThan(beforeId) } : {}) },
    order: { id: 'DESC' },
    take: LIST_MAX + 1,
  });
  return page(rows, (row) => row.id);
}

function page<T>(rows: readonly T[], idOf: (row: T) => string): Listed<T> {
  const shown = rows.slice(0, LIST_MAX);
  const last = shown.at(-1);
  return { rows: shown, nextId: rows.length > LIST_MAX && last ? idOf(last) : null };
}

/** The alert group of a cause; null when it never rang. */
export async function groupOfCause(database: Database, cause: string): Promise<AlertGroup | null> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT id FROM alert WHERE group_key = ${cause}`);
  return row ? loadGroup(database, String(row.id)) : null;
}

export interface Occurrence {
  readonly at: Date;
  readonly eventId: string | null;
  readonly subjectId: string | null;
  readonly subjectNo: string | null;
}

const OCCURRENCES_MAX = 5_000;

/** The newest of a group, newest first, at most 5,000. */
export async function occurrencesOf(database: Database, alertId: string): Promise<Occurrence[]> {
  const rows = await database.query<{
    at: unknown;
    event_id: string | null;
    subject_id: string | null;
    subject_no: string | null;
  }>(
    sql`SELECT at, event_id, subject_id, subject_no FROM alert_occurrence WHERE alert_id = ${alertId} ORDER BY id DESC LIMIT ${raw(String(OCCURRENCES_MAX))}`,
  );
  return rows.map((row) => ({
    at: fromSqlInstant(row.at),
    eventId: row.event_id,
    subjectId: row.subject_id,
    subjectNo: row.subject_no,
  }));
}

export async function newestEventId(database: Database): Promise<string> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT MAX(id) AS id FROM outbox_event`);
  return String(row?.id ?? 0);
}

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
