import { In } from 'typeorm';
import type { Database, Queryable } from '../database/database.js';
import { fromSqlInstant, join, raw, type Sql, sql } from '../database/sql.js';
import { type EventStatus, OutboxEvent } from '../entities/outbox-event.js';

/** What no index serves is looked for among so many of the newest rows, and the answer says so. */
export const LOOK_MAX = 10_000;

/** Finer than a status. */
export const shades = [
  'pending',
  'running',
  'retrying',
  'blocked',
  'errored',
  'unknown',
  'handled',
  'discarded',
] as const;
export type Shade = (typeof shades)[number];

export interface EventFilter {
  readonly state?: Shade | undefined;
  /** One of these types. */
  readonly types?: readonly string[] | undefined;
  readonly cause?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly attemptsMin?: number | undefined;
  /** The process that ran it last. */
  readonly worker?: string | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdTo?: Date | undefined;
  /** When it is, or was, due. */
  readonly dueFrom?: Date | undefined;
  readonly dueTo?: Date | undefined;
  readonly settledSince?: Date | undefined;
  /** A part of the stored payload. */
  readonly payload?: string | undefined;
}

export interface EventPage {
  readonly rows: readonly OutboxEvent[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
  /** Only so many of the newest were looked at; null when all were. */
  readonly lookedAt: number | null;
}

const statusOf: Record<Shade, EventStatus> = {
  pending: 'pending',
  running: 'pending',
  retrying: 'pending',
  blocked: 'pending',
  errored: 'errored',
  unknown: 'errored',
  handled: 'handled',
  discarded: 'discarded',
};
const within: Partial<Record<Shade, Sql>> = {
  running: sql`lease_until IS NOT NULL`,
  retrying: sql`failures > 0`,
  blocked: sql`queue_at IS NULL`,
  unknown: sql`outcome = 'unknown'`,
};
const columns = raw(
  'id, settled_at, failures, outcome, lease_until, queue_at, attempt, claimed_by, created_at, run_at, payload, type',
);
const CURSOR = /^(?:(\d{1,15})\.)?(\d{1,19})$/;

interface Cursor {
  readonly settledAt: Date | null;
  readonly id: string;
}

/** Undefined: not a cursor of ours. */
export function parseCursor(text: string): Cursor | undefined {
  const [, settledMs, id] = CURSOR.exec(text) ?? [];
  return id === undefined
    ? undefined
    : { settledAt: settledMs === undefined ? null : new Date(Number(settledMs)), id };
}

/**
 * Settled events the latest settled first, all others the latest recorded first. By cursor, never by offset: rows that are added meanwhile
 * neither repeat nor skip any. Each combination of filters walks an index from its end and stops, at the latest after `LOOK_MAX` rows.
 */
export async function listEvents(
  database: Database,
  filter: EventFilter,
  limit: number,
  cursor?: Cursor,
): Promise<EventPage> {
  const narrow = [...narrowing(filter)];
  const bySettled = isBySettled(filter);
  const upTo = filter.createdTo && !bySettled ? await idAt(database, filter.createdTo) : null;
  const walks = branchesOf(filter, bySettled);
  const look = raw(String(narrow.length > 0 ? Math.ceil(LOOK_MAX / walks.length) : limit + 1));
  const branches = walks.map(({ index, conditions, order }) => {
    const all = [...conditions, ...after(cursor, bySettled), ...(upTo === null ? [] : [sql`id <= ${upTo}`])];
    const looked = sql`
      SELECT ${columns} FROM outbox_event ${index ? raw(database.dialect.useIndex(index)) : sql``}
      WHERE ${join(all.length > 0 ? all : [sql`1 = 1`], ' AND ')} ORDER BY ${order} LIMIT ${look}`;
    return sql`SELECT * FROM (SELECT id, settled_at FROM (${looked}) AS looked ${narrow.length > 0 ? sql`WHERE ${join(narrow, ' AND ')}` : sql``} ORDER BY ${order} LIMIT ${raw(String(limit + 1))}) AS branch`;
  });
  const keys = await database.query<{ id: unknown; settled_at: unknown }>(
    sql`${join(branches, ' UNION ALL ')} ORDER BY ${bySettled ? raw('settled_at DESC, id DESC') : raw('id DESC')} LIMIT ${raw(String(limit + 1))}`,
  );
  const shown = keys.slice(0, limit);
  const rows =
    shown.length === 0
      ? []
      : await database.manager.findBy(OutboxEvent, { id: In(shown.map(({ id }) => String(id))) });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const last = shown.at(-1);
  const next =
    keys.length > limit && last
      ? `${bySettled ? `${fromSqlInstant(last.settled_at).getTime()}.` : ''}${String(last.id)}`
      : null;
  return {
    rows: shown.flatMap(({ id }) => byId.get(String(id)) ?? []),
    next,
    lookedAt: narrow.length > 0 ? LOOK_MAX : null,
  };
}

/** How many there are, counted up to `LOOK_MAX` + 1. */
export async function countEvents(database: Queryable, filter: EventFilter): Promise<number> {
  const narrow = [...narrowing(filter)];
  const walks = branchesOf(filter, isBySettled(filter));
  const look = raw(String(narrow.length > 0 ? Math.ceil(LOOK_MAX / walks.length) : LOOK_MAX + 1));
  let count = 0;
  for (const { index, conditions, order } of walks) {
    if (count > LOOK_MAX) break;
    const [row] = await database.query<{ n: number | string }>(sql`
      SELECT COUNT(*) AS n FROM (SELECT ${narrow.length > 0 ? columns : raw('id')} FROM outbox_event ${index ? raw(database.dialect.useIndex(index)) : sql``}
      WHERE ${join(conditions.length > 0 ? conditions : [sql`1 = 1`], ' AND ')} ${narrow.length > 0 ? sql`ORDER BY ${order}` : sql``} LIMIT ${look}) AS looked ${narrow.length > 0 ? sql`WHERE ${join(narrow, ' AND ')}` : sql``}`);
    count += Number(row?.n);
  }
  return Math.min(count, LOOK_MAX + 1);
}

function isBySettled({ state, cause, subjectId }: EventFilter): boolean {
  return (
    state !== undefined && statusOf[state] !== 'pending' && cause === undefined && subjectId === undefined
  );
}

/** Conditions that no index serves. */
function* narrowing({
  state,
  settledSince,
  attemptsMin,
  worker,
  createdFrom,
  createdTo,
  dueFrom,
  dueTo,
  payload,
  subjectId,
  cause,
  types,
}: EventFilter): Generator<Sql> {
  const shade = state && within[state];
  if (shade) yield shade;
  if (settledSince && !isBySettled({ state, cause, subjectId })) yield sql`settled_at > ${settledSince}`;
  if (attemptsMin !== undefined) yield sql`attempt >= ${attemptsMin}`;
  if (worker !== undefined) yield sql`claimed_by = ${worker}`;
  if (createdFrom) yield sql`created_at >= ${createdFrom}`;
  if (createdTo) yield sql`created_at <= ${createdTo}`;
  if (dueFrom) yield sql`run_at >= ${dueFrom}`;
  if (dueTo) yield sql`run_at <= ${dueTo}`;
  if (payload !== undefined) yield sql`INSTR(payload, ${payload}) > 0`;
  if ((subjectId !== undefined || cause !== undefined) && types) yield sql`type IN (${join(types)})`;
}

interface Branch {
  readonly index: string | null;
  readonly conditions: readonly Sql[];
  readonly order: Sql;
}

const byId = raw('id DESC');

/** One walk along one index for each; together they are the list. */
function branchesOf(
  { state, types, cause, subjectId, settledSince }: EventFilter,
  bySettled: boolean,
): Branch[] {
  const status = state && statusOf[state];
  const ofStatus = status ? [sql`status = ${status}`] : [];
  if (subjectId !== undefined)
    return [
      {
        index: 'outbox_event_subject',
        conditions: [sql`subject_id = ${subjectId}`, ...ofStatus],
        order: byId,
      },
    ];
  if (cause !== undefined) {
    const statuses: readonly EventStatus[] = status
      ? [status]
      : ['pending', 'errored', 'handled', 'discarded'];
    return statuses.map((one) => ({
      index: 'outbox_event_cause_status',
      conditions: [sql`cause = ${cause}`, sql`cause_status = ${one}`],
      order: byId,
    }));
  }
  if (!status)
    return types
      ? types.map((type) => ({ index: 'outbox_event_type', conditions: [sql`type = ${type}`], order: byId }))
      : [{ index: null, conditions: [], order: byId }];
  const rest = bySettled
    ? {
        more: [settledSince ? sql`settled_at > ${settledSince}` : sql`settled_at IS NOT NULL`],
        order: raw('settled_at DESC, id DESC'),
      }
    : { more: [sql`settled_at IS NULL`], order: byId };
  if (!types)
    return [{ index: 'outbox_event_settled', conditions: [...ofStatus, ...rest.more], order: rest.order }];
  return types.map((type) => ({
    index: 'outbox_event_status_type',
    conditions: [...ofStatus, sql`type = ${type}`, ...rest.more],
    order: rest.order,
  }));
}

function after(cursor: Cursor | undefined, bySettled: boolean): Sql[] {
  if (!cursor) return [];
  if (!bySettled) return [sql`id < ${cursor.id}`];
  const at = cursor.settledAt ?? new Date(0);
  return [sql`settled_at <= ${at}`, sql`(settled_at < ${at} OR id < ${cursor.id})`];
}

/** The last id that was recorded until then: ids grow with time, so a few look-ups by primary key find it. */
async function idAt(database: Database, instant: Date): Promise<string> {
  const [ends] = await database.query<{ low: unknown; high: unknown }>(
    sql`SELECT MIN(id) AS low, MAX(id) AS high FROM outbox_event`,
  );
  let low = BigInt(String(ends?.low ?? 0));
  let high = BigInt(String(ends?.high ?? 0));
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const [row] = await database.query<{ id: unknown; created_at: unknown }>(
      sql`SELECT id, created_at FROM outbox_event WHERE id >= ${String(middle)} ORDER BY id LIMIT 1`,
    );
    if (row && fromSqlInstant(row.created_at) <= instant) low = BigInt(String(row.id));
    else high = middle - 1n;
  }
  return String(low);
}
