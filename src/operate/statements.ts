import { after, type Dialect, join, now, raw, type Sql, sql } from '../database/sql.js';
import type { EventStatus } from '../entities/outbox-event.js';
import { type EventFilter, type EventState, isBySettled } from './filter.js';
import type { Walk } from './walks.js';

/**
 * What TypeORM cannot word: statements about events that name their index. By the statistics of a quiet hour an
 * index on a status looks as good as any other, and in a burst it is not. Each change of an event and each lock
 * on one goes by the primary key or by its ordering key (test/outbox/plans.test.ts). Each statement of a page
 * reads a bounded number of rows (test/console/bounded.test.ts).
 */

// Acts on one event: by primary key. Every change is on condition of the status that the act was allowed for.

export function eventForUpdate({ byPrimaryKey, forUpdate }: Dialect, id: string): Sql {
  return sql`
    SELECT id, status, ordering_key, lease_until, subject_id, failures, attempt, type, payload, outcome, unknown_at, last_error_code, request_id, traceparent
    FROM outbox_event ${raw(byPrimaryKey)} WHERE id = ${id} ${raw(forUpdate)}`;
}

/** A blocked event has no place in the queue until the event before it has ended. */
export function toPendingFromErrored({ byPrimaryKey }: Dialect, id: string, isBlocked: boolean): Sql {
  return sql`
    UPDATE outbox_event ${raw(byPrimaryKey)} SET status = 'pending', failures = 0, interruptions = 0, snooze_since = NULL, lease_until = NULL, claimed_by = NULL, settled_at = NULL, run_at = ${now}, queue_at = ${isBlocked ? null : now}
    WHERE id = ${id} AND status = 'errored'`;
}

export function toHandledFromErrored({ byPrimaryKey }: Dialect, id: string): Sql {
  return sql`
    UPDATE outbox_event ${raw(byPrimaryKey)} SET status = 'handled', outcome = 'applied', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = 'errored'`;
}

export function toDiscarded({ byPrimaryKey }: Dialect, id: string, from: EventStatus): Sql {
  return sql`
    UPDATE outbox_event ${raw(byPrimaryKey)} SET status = 'discarded', queue_at = NULL, settled_at = ${now} WHERE id = ${id} AND status = ${from}`;
}

export function doubtLifted({ byPrimaryKey }: Dialect, id: string): Sql {
  return sql`
    UPDATE outbox_event ${raw(byPrimaryKey)} SET unknown_at = NULL, outcome = 'not-applied' WHERE id = ${id} AND status = 'errored'`;
}

export function inDoubt({ byPrimaryKey }: Dialect, id: string): Sql {
  return sql`
    UPDATE outbox_event ${raw(byPrimaryKey)} SET unknown_at = ${now}, outcome = 'unknown' WHERE id = ${id} AND status = 'pending'`;
}

/** After a restore, before any process has started: no index is named, because it is about every pending event. */
export const allInDoubt = sql`
  UPDATE outbox_event SET unknown_at = ${now}, outcome = 'unknown', lease_until = NULL, claimed_by = NULL, queue_at = CASE WHEN queue_at IS NULL THEN NULL ELSE run_at END WHERE status = 'pending'`;

/** The events of an ordering key that have a place in the queue: few, however many wait behind them. */
export function queuedForUpdate({ useIndex, forUpdate }: Dialect, orderingKey: string): Sql {
  return sql`
    SELECT id, lease_until FROM outbox_event ${raw(useIndex('outbox_event_queued_key'))} WHERE queued_key = ${orderingKey} ${raw(forUpdate)}`;
}

/** The caller holds the lock of the row. */
export function outOfQueue({ byPrimaryKey }: Dialect, id: string): Sql {
  return sql`UPDATE outbox_event ${raw(byPrimaryKey)} SET queue_at = NULL WHERE id = ${id}`;
}

/** The event that holds the key which another one waits for. */
export function aheadOf({ useIndex }: Dialect, id: string, orderingKey: string | null): Sql {
  return sql`
    SELECT id, type, queue_at FROM outbox_event ${raw(useIndex('outbox_event_queued_key'))} WHERE queued_key = ${orderingKey} AND status = 'pending' AND id <> ${id} ORDER BY id LIMIT 1`;
}

// Lists. Each walk goes along one index from its end, and reads at most so many rows.

const partOf: Partial<Record<EventState, Sql>> = {
  running: sql`lease_until IS NOT NULL`,
  retrying: sql`failures > 0`,
  blocked: sql`queue_at IS NULL`,
  unknown: sql`outcome = 'unknown'`,
};

/** The conditions that no index serves. */
export function conditionsWithoutIndex(filter: EventFilter): Sql[] {
  const { state, settledSince, attemptsMin, worker, createdFrom, createdTo, dueFrom, dueTo, payload, types } =
    filter;
  const part = state && partOf[state];
  const typesWithoutIndex = filter.subjectId !== undefined || filter.cause !== undefined ? types : undefined;
  return [
    ...(part ? [part] : []),
    ...(settledSince && !isBySettled(filter) ? [sql`settled_at > ${settledSince}`] : []),
    ...(attemptsMin === undefined ? [] : [sql`attempt >= ${attemptsMin}`]),
    ...(worker === undefined ? [] : [sql`claimed_by = ${worker}`]),
    ...(createdFrom ? [sql`created_at >= ${createdFrom}`] : []),
    ...(createdTo ? [sql`created_at <= ${createdTo}`] : []),
    ...(dueFrom ? [sql`run_at >= ${dueFrom}`] : []),
    ...(dueTo ? [sql`run_at <= ${dueTo}`] : []),
    ...(payload === undefined ? [] : [sql`INSTR(payload, ${payload}) > 0`]),
    ...(typesWithoutIndex ? [sql`type IN (${join(typesWithoutIndex)})`] : []),
  ];
}

export interface Page {
  readonly walks: readonly Walk[];
  /** Conditions that no index serves, on the rows that were looked at. */
  readonly narrow: readonly Sql[];
  /** Where the last page ended. */
  readonly cursor: { readonly settledAt: Date | null; readonly id: string } | undefined;
  /** No event above this id. */
  readonly upTo: string | null;
  /** Rows that one walk looks at. */
  readonly looksMax: number;
  readonly rowsMax: number;
}

/** The ids of a page: the ends of all walks, merged. */
export function pageKeys(dialect: Dialect, { walks, narrow, cursor, upTo, looksMax, rowsMax }: Page): Sql {
  const limit = raw(`LIMIT ${rowsMax}`);
  const bySettled = walks.some((walk) => walk.bySettled);
  const beyond = [...behind(cursor, bySettled), ...(upTo === null ? [] : [sql`id <= ${upTo}`])];
  const branches = walks.map((walk) => {
    const looked = sql`${look(dialect, walk, filtered, beyond)} ORDER BY ${orderOf(walk)} LIMIT ${raw(String(looksMax))}`;
    return sql`SELECT * FROM (SELECT id, settled_at FROM (${looked}) AS looked ${where(narrow)} ORDER BY ${orderOf(walk)} ${limit}) AS branch`;
  });
  return sql`${join(branches, ' UNION ALL ')} ORDER BY ${orderOf({ bySettled })} ${limit}`;
}

/** How many events one walk finds, among the newest `looksMax` that it looks at. */
export function countAlong(dialect: Dialect, walk: Walk, narrow: readonly Sql[], looksMax: number): Sql {
  const limit = raw(`LIMIT ${looksMax}`);
  const looked =
    narrow.length > 0
      ? sql`${look(dialect, walk, filtered, [])} ORDER BY ${orderOf(walk)} ${limit}`
      : sql`${look(dialect, walk, raw('id'), [])} ${limit}`;
  return sql`SELECT COUNT(*) AS n FROM (${looked}) AS looked ${where(narrow)}`;
}

/** The columns that `conditionsWithoutIndex` names. */
const filtered = raw(
  'id, settled_at, failures, outcome, lease_until, queue_at, attempt, claimed_by, created_at, run_at, payload, type',
);

function look(dialect: Dialect, { index, equal, settled }: Walk, columns: Sql, beyond: readonly Sql[]): Sql {
  const conditions = [
    ...Object.entries(equal).map(([column, value]) => sql`${raw(column)} = ${value}`),
    ...(settled === undefined ? [] : [settledIs(settled)]),
    ...beyond,
  ];
  return sql`SELECT ${columns} FROM outbox_event ${index ? raw(dialect.useIndex(index)) : sql``} ${where(conditions)}`;
}

function settledIs(settled: boolean | Date): Sql {
  if (settled instanceof Date) return sql`settled_at > ${settled}`;
  return settled ? sql`settled_at IS NOT NULL` : sql`settled_at IS NULL`;
}

function behind(cursor: Page['cursor'], bySettled: boolean): Sql[] {
  if (!cursor) return [];
  if (!bySettled) return [sql`id < ${cursor.id}`];
  const at = cursor.settledAt ?? new Date(0);
  return [sql`settled_at <= ${at}`, sql`(settled_at < ${at} OR id < ${cursor.id})`];
}

function orderOf({ bySettled }: Pick<Walk, 'bySettled'>): Sql {
  return raw(bySettled ? 'settled_at DESC, id DESC' : 'id DESC');
}

function where(conditions: readonly Sql[]): Sql {
  return conditions.length > 0 ? sql`WHERE ${join(conditions, ' AND ')}` : sql``;
}

// Reports, each over at most `max` rows.

/** Pending and errored events by type, and how many of them retry or are in doubt. Index outbox_event_settled. */
export function openByType({ useIndex }: Dialect, max: number): Sql {
  const counted = (status: 'pending' | 'errored', newest: Sql): Sql => sql`
    SELECT type, status, failed, unknown_outcome, COUNT(*) AS n FROM (
      SELECT type, status, CASE WHEN failures > 0 THEN 1 ELSE 0 END AS failed, CASE WHEN outcome = 'unknown' THEN 1 ELSE 0 END AS unknown_outcome
      FROM outbox_event ${raw(useIndex('outbox_event_settled'))} WHERE status = ${status} AND ${newest} LIMIT ${raw(String(max))}
    ) AS looked GROUP BY type, status, failed, unknown_outcome`;
  return sql`
    SELECT * FROM (${counted('pending', sql`settled_at IS NULL ORDER BY id DESC`)}) AS p
    UNION ALL SELECT * FROM (${counted('errored', sql`settled_at IS NOT NULL ORDER BY settled_at DESC, id DESC`)}) AS e`;
}

/** Index outbox_event_settled. */
export function handledByType({ useIndex }: Dialect, withinMs: number, max: number): Sql {
  return sql`
    SELECT type, COUNT(*) AS n FROM (
      SELECT type FROM outbox_event ${raw(useIndex('outbox_event_settled'))} WHERE status = 'handled' AND settled_at > ${after(-withinMs)} LIMIT ${raw(String(max))}
    ) AS lately GROUP BY type`;
}

/** Index outbox_event_queue delivers the order. */
export function oldestDueByType(max: number): Sql {
  return sql`
    SELECT type, MIN(queue_at) AS queue_at FROM (SELECT type, queue_at FROM outbox_event WHERE queue_at <= ${now} ORDER BY queue_at LIMIT ${raw(String(max))}) AS due GROUP BY type`;
}

/** The attempts that ended since then: of `max` events of each status, by index outbox_event_settled. */
export function endedSince({ useIndex }: Dialect, since: Date, max: number): Sql {
  const newest = (status: EventStatus, order: Sql) => sql`
    SELECT * FROM (SELECT id, type, subject_no, status FROM outbox_event ${raw(useIndex('outbox_event_settled'))}
      WHERE status = ${status} AND ${order} LIMIT ${raw(String(max))}) AS ${raw(status)}_events`;
  const settled = sql`settled_at >= ${since} ORDER BY settled_at DESC`;
  const events = [
    ...(['handled', 'errored', 'discarded'] as const).map((status) => newest(status, settled)),
    newest('pending', sql`settled_at IS NULL ORDER BY id DESC`),
  ];
  return sql`
    SELECT e.id, e.type, e.subject_no, e.status, a.number, a.finished_at, a.duration_ms, a.outcome, a.decision, a.error_code
    FROM (${join(events, ' UNION ALL ')}) AS e JOIN event_attempt a ON a.event_id = e.id WHERE a.finished_at > ${since} ORDER BY a.finished_at, e.id, a.number`;
}

// Retention, by index outbox_event_settled (status, settled_at): the look ends after one batch.

export function oldestSettled({ useIndex }: Dialect, status: EventStatus, keepMs: number, max: number): Sql {
  return sql`
    SELECT id FROM outbox_event ${raw(useIndex('outbox_event_settled'))} WHERE status = ${status} AND settled_at < ${after(-keepMs)} ORDER BY settled_at LIMIT ${raw(String(max))}`;
}

/** The attempts of errored events whose journals are old. */
export function oldestJournals({ useIndex }: Dialect, keepMs: number, max: number): Sql {
  return sql`
    SELECT a.event_id, a.number FROM outbox_event e ${raw(useIndex('outbox_event_settled'))} JOIN event_attempt a ON a.event_id = e.id
    WHERE e.status = 'errored' AND e.settled_at < ${after(-keepMs)} AND a.exchanges IS NOT NULL ORDER BY e.settled_at LIMIT ${raw(String(max))}`;
}
