import { In } from 'typeorm';
import type { Database, Queryable } from '../database/database.js';
import { fromSqlInstant } from '../database/sql.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { type EventFilter, isBySettled } from './filter.js';
import { lastIdAt } from './last-id-at.js';
import { conditionsWithoutIndex, countAlong, pageKeys } from './statements.js';
import { walksOf } from './walks.js';

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
  const walks = walksOf(filter);
  const upTo = filter.createdTo && !isBySettled(filter) ? await lastIdAt(database, filter.createdTo) : null;
  const rowsMax = limit + 1;
  const looksMax = narrow.length > 0 ? Math.ceil(LOOK_MAX / walks.length) : rowsMax;
  const page = { walks, narrow, cursor, upTo, looksMax, rowsMax };
  return database.query<Key>(pageKeys(database.dialect, page));
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
  const looksMax = narrow.length > 0 ? Math.ceil(LOOK_MAX / walks.length) : LOOK_MAX + 1;
  let count = 0;
  for (const walk of walks) {
    if (count > LOOK_MAX) break;
    const statement = countAlong(database.dialect, walk, narrow, looksMax);
    const [row] = await database.query<{ n: number | string }>(statement);
    count += Number(row?.n);
  }
  return Math.min(count, LOOK_MAX + 1);
}
