import { In } from 'typeorm';
import type { Database, Queryable } from '../database/database.js';
import { fromSqlInstant, join, raw, type Sql, sql } from '../database/sql.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { conditionsWithoutIndex, type EventFilter, isBySettled } from './filter.js';
import { lastIdAt } from './last-id-at.js';
import { type Walk, walksOf } from './walks.js';

/** A condition that no index serves is looked for among so many of the newest rows; the answer says so. */
export const LOOK_MAX = 10_000;

export interface EventPage {
  readonly rows: readonly OutboxEvent[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
  /** Only so many of the newest rows were looked at; null when all were. */
  readonly lookedAt: number | null;
}

interface Cursor {
  readonly settledAt: Date | null;
  readonly id: string;
}

interface Key {
  readonly id: unknown;
  readonly settled_at: unknown;
}

const columns = raw(
  'id, settled_at, failures, outcome, lease_until, queue_at, attempt, claimed_by, created_at, run_at, payload, type',
);
const CURSOR = /^(?:(\d{1,15})\.)?(\d{1,19})$/;

/** Undefined: the text is not a cursor of ours. */
export function parseCursor(text: string): Cursor | undefined {
  const [, settledMs, id] = CURSOR.exec(text) ?? [];
  return id === undefined
    ? undefined
    : { settledAt: settledMs === undefined ? null : new Date(Number(settledMs)), id };
}

/**
 * Settled events the latest settled first, all others the latest recorded first. By cursor, not by offset: rows that are added meanwhile are
 * neither repeated nor skipped. Each combination of filters walks an index from its end and stops, at the latest after `LOOK_MAX` rows.
 */
export async function listEvents(
  database: Database,
  filter: EventFilter,
  limit: number,
  cursor?: Cursor,
): Promise<EventPage> {
  const bySettled = isBySettled(filter);
  const keys = await keysOf(database, filter, limit, cursor);
  const shown = keys.slice(0, limit);
  return {
    rows: await rowsOf(database, shown),
    next: keys.length > limit ? cursorAfter(shown.at(-1), bySettled) : null,
    lookedAt: conditionsWithoutIndex(filter).length > 0 ? LOOK_MAX : null,
  };
}

/** One key more than `limit`, if there is one: it tells that there is a next page. */
async function keysOf(
  database: Database,
  filter: EventFilter,
  limit: number,
  cursor: Cursor | undefined,
): Promise<Key[]> {
  const narrow = conditionsWithoutIndex(filter);
  const bySettled = isBySettled(filter);
  const walks = walksOf(filter);
  const upTo = filter.createdTo && !bySettled ? await lastIdAt(database, filter.createdTo) : null;
  const beyond = [...behind(cursor, bySettled), ...(upTo === null ? [] : [sql`id <= ${upTo}`])];
  const rowsMax = narrow.length > 0 ? Math.ceil(LOOK_MAX / walks.length) : limit + 1;
  const branches = walks.map((walk) => {
    const looked = look(database, walk, { columns, and: beyond, ordered: true, rowsMax });
    return sql`SELECT * FROM (SELECT id, settled_at FROM (${looked}) AS looked ${where(narrow)} ORDER BY ${walk.order} LIMIT ${raw(String(limit + 1))}) AS branch`;
  });
  return database.query<Key>(
    sql`${join(branches, ' UNION ALL ')} ORDER BY ${bySettled ? raw('settled_at DESC, id DESC') : raw('id DESC')} LIMIT ${raw(String(limit + 1))}`,
  );
}

async function rowsOf(database: Database, keys: readonly Key[]): Promise<OutboxEvent[]> {
  if (keys.length === 0) return [];
  const ids = keys.map(({ id }) => String(id));
  const rows = await database.manager.findBy(OutboxEvent, { id: In(ids) });
  const rowOfId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => rowOfId.get(id) ?? []);
}

function cursorAfter(last: Key | undefined, bySettled: boolean): string | null {
  if (!last) return null;
  return `${bySettled ? `${fromSqlInstant(last.settled_at).getTime()}.` : ''}${String(last.id)}`;
}

/** How many events the filter names, counted up to `LOOK_MAX` + 1. */
export async function countEvents(database: Queryable, filter: EventFilter): Promise<number> {
  const narrow = conditionsWithoutIndex(filter);
  const walks = walksOf(filter);
  const isNarrow = narrow.length > 0;
  let count = 0;
  for (const walk of walks) {
    if (count > LOOK_MAX) break;
    const looked = look(database, walk, {
      columns: isNarrow ? columns : raw('id'),
      and: [],
      ordered: isNarrow,
      rowsMax: isNarrow ? Math.ceil(LOOK_MAX / walks.length) : LOOK_MAX + 1,
    });
    const [row] = await database.query<{ n: number | string }>(
      sql`SELECT COUNT(*) AS n FROM (${looked}) AS looked ${where(narrow)}`,
    );
    count += Number(row?.n);
  }
  return Math.min(count, LOOK_MAX + 1);
}

interface Look {
  readonly columns: Sql;
  readonly and: readonly Sql[];
  readonly ordered: boolean;
  readonly rowsMax: number;
}

/** The rows that one walk reads, at most `rowsMax`. */
function look({ dialect }: Queryable, walk: Walk, { columns: read, and, ordered, rowsMax }: Look): Sql {
  const { index, conditions, order } = walk;
  return sql`
    SELECT ${read} FROM outbox_event ${index ? raw(dialect.useIndex(index)) : sql``}
    ${where([...conditions, ...and])} ${ordered ? sql`ORDER BY ${order}` : sql``} LIMIT ${raw(String(rowsMax))}`;
}

function where(conditions: readonly Sql[]): Sql {
  return conditions.length > 0 ? sql`WHERE ${join(conditions, ' AND ')}` : sql``;
}

function behind(cursor: Cursor | undefined, bySettled: boolean): Sql[] {
  if (!cursor) return [];
  if (!bySettled) return [sql`id < ${cursor.id}`];
  const at = cursor.settledAt ?? new Date(0);
  return [sql`settled_at <= ${at}`, sql`(settled_at < ${at} OR id < ${cursor.id})`];
}
