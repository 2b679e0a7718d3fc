import { In, LessThan } from 'typeorm';
import type { Database } from '../database/database.js';
import { fromSqlInstantOrNull, sql } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { OperatorAction } from '../entities/operator-action.js';
import { OutboxEvent } from '../entities/outbox-event.js';

const LIST_MAX = 50;

export interface EventsFilter {
  /** A status, or one of its finer shades. */
  readonly state?: string | undefined;
  readonly type?: string | undefined;
  readonly cause?: string | undefined;
  readonly beforeId?: string | undefined;
}

export interface Listed<T> {
  readonly rows: readonly T[];
  /** The cursor of the next page, or null. */
  readonly nextId: string | null;
}

/** Newest first, fifty at a time, by id: rows that are added while somebody pages neither repeat nor skip any. */
export async function listEvents(database: Database, { state, type, cause, beforeId }: EventsFilter): Promise<Listed<OutboxEvent>> {
  const shades: Record<string, { status: string; more: ReturnType<typeof sql> }> = {
    retrying: { status: 'pending', more: sql`AND failures > 0` },
    unknown: { status: 'errored', more: sql`AND outcome = 'unknown'` },
    running: { status: 'pending', more: sql`AND lease_until IS NOT NULL` },
    blocked: { status: 'pending', more: sql`AND queue_at IS NULL` },
  };
  const shade = state ? (shades[state] ?? { status: state, more: sql`` }) : null;
  const ids = await database.query<{ id: unknown }>(sql`
    SELECT id FROM outbox_event WHERE 1 = 1 ${shade ? sql`AND status = ${shade.status} ${shade.more}` : sql``} ${type ? sql`AND type = ${type}` : sql``}
      ${cause ? sql`AND cause = ${cause}` : sql``} ${beforeId ? sql`AND id < ${beforeId}` : sql``}
    ORDER BY id DESC LIMIT 51`);
  const rows = ids.length === 0 ? [] : await database.manager.find(OutboxEvent, { where: { id: In(ids.map(({ id }) => String(id))) }, order: { id: 'DESC' } });
  return page(rows, (row) => row.id);
}

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

export async function listActions(database: Database, beforeId: string | undefined, target?: { type: string; id: string }): Promise<Listed<OperatorAction>> {
  const where = { ...(beforeId ? { id: LessThan(beforeId) } : {}), ...(target ? { targetType: target.type, targetId: target.id } : {}) };
  return page(await database.manager.find(OperatorAction, { where, order: { id: 'DESC' }, take: LIST_MAX + 1 }), (row) => row.id);
}

function page<T>(rows: readonly T[], idOf: (row: T) => string): Listed<T> {
  const shown = rows.slice(0, LIST_MAX);
  const last = shown.at(-1);
  return { rows: shown, nextId: rows.length > LIST_MAX && last ? idOf(last) : null };
}

export interface CauseRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly eventType: string | null;
  readonly groupKey: string;
  readonly cause: string;
  readonly occurrences: number;
  readonly firstAt: Date | null;
  readonly lastAt: Date | null;
}

/** Failures grouped by their cause, the latest first. */
export async function listCauses(database: Database): Promise<CauseRow[]> {
  const rows = await database.query<Record<string, unknown>>(
    sql`SELECT id, kind, status, event_type, group_key, cause, occurrences, first_at, last_at FROM alert ORDER BY last_at DESC LIMIT 100`,
  );
  return rows.map((row) => ({
    id: String(row.id),
    kind: String(row.kind),
    status: String(row.status),
    eventType: row.event_type as string | null,
    groupKey: String(row.group_key),
    cause: String(row.cause),
    occurrences: Number(row.occurrences),
    firstAt: fromSqlInstantOrNull(row.first_at),
    lastAt: fromSqlInstantOrNull(row.last_at),
  }));
}

/** How many errored events share a cause, counted up to the limit. */
export async function countOfCause(database: Database, cause: string): Promise<number> {
  const [row] = await database.query<{ n: number | string }>(
    sql`SELECT COUNT(*) AS n FROM (SELECT id FROM outbox_event WHERE cause = ${cause} AND status = 'errored' LIMIT 10001) AS same`,
  );
  return Number(row?.n);
}

export interface Hit {
  readonly kind: 'order' | 'event';
  readonly id: string;
  readonly what: string;
}

const HITS_MAX = 20;

/** By order number, event id, order id, user, Meican's order id, request id, record or trade number. Each by an index, twenty hits at most. */
export async function search(database: Database, text: string): Promise<Hit[]> {
  const orders = await database.query<{ id: unknown; order_no: string; status: string }>(sql`
    SELECT id, order_no, status FROM box_order WHERE order_no = ${text}
    UNION SELECT id, order_no, status FROM box_order WHERE meican_order_id = ${text}
    UNION SELECT id, order_no, status FROM (SELECT id, order_no, status FROM box_order WHERE user_id = ${text} ORDER BY id DESC LIMIT 20) AS of_user`);
  const [exact] = orders.filter((row) => row.order_no === text);
  if (exact) return [{ kind: 'order', id: String(exact.id), what: `${exact.order_no} ${exact.status}` }];
  const isId = /^\d{1,18}$/.test(text);
  const events = await database.query<{ id: unknown; type: string; status: string; subject_no: string | null }>(sql`
    SELECT id, type, status, subject_no FROM outbox_event WHERE id = ${isId ? text : '0'}
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE subject_no = ${text} ORDER BY id DESC LIMIT 20) AS of_subject
    UNION SELECT id, type, status, subject_no FROM (SELECT id, type, status, subject_no FROM outbox_event WHERE request_id = ${text} ORDER BY id DESC LIMIT 20) AS of_request`);
  const hits: Hit[] = orders.map((row) => ({ kind: 'order', id: String(row.id), what: `${row.order_no} ${row.status}` }));
  if (orders.length > 0 && !isId) return hits.slice(0, HITS_MAX);
  return [...hits, ...events.map((row): Hit => ({ kind: 'event', id: String(row.id), what: `${row.type} ${row.subject_no ?? ''} ${row.status}` }))].slice(
    0,
    HITS_MAX,
  );
}
