/**
 * The engine's statements. Hot, so they are SQL: a drain settles hundreds of events a second, and the same
 * UPDATE costs the process 0.16 ms through the query builder, 0.06 ms prepared. Each names its index: by the
 * statistics of a quiet hour an index on the status looks as good, and in a burst it leads to thousands of
 * rows, which are then locked. `test/outbox/plans.test.ts` holds the plans.
 */
import { cutCharacters } from '../base/text.js';
import {
  after,
  byPrimaryKey as byId,
  byIndex,
  type Dialect,
  idAmongMany,
  ids,
  join,
  lockingRows,
  now,
  raw,
  type Sql,
  skipLocked,
  sql,
} from '../database/sql.js';
import type { Trigger } from '../entities/event-attempt.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import { alike } from './alike.js';
import { causeOf } from './cause.js';
import type { Transition } from './decide.js';

const byQueue = byIndex('outbox_event_queue');
const byUrgency = byIndex('outbox_event_urgent');
const byQueuedKey = byIndex('outbox_event_queued_key');
const byPendingKey = byIndex('outbox_event_pending_key');
const byDedupeKey = byIndex('outbox_event_dedupe_key');
const limitTo = (count: number): Sql => raw(`LIMIT ${count}`);

// Claiming

/** A place in the queue: what follows has a later `queueAt`, or the same and a larger id. */
export interface Place {
  readonly queueAt: Date;
  readonly id: string;
}

/** Which due events a claim takes. */
export interface Wanted {
  readonly limit: number;
  /** Types whose target has no free slot. */
  readonly withoutTypes?: readonly string[];
  /** Claim only events of these types. */
  readonly onlyTypes?: readonly string[] | undefined;
  /** Their vendor is known to be down: only events past their deadline, whose path changes there. */
  readonly heldTypes?: readonly string[];
  /** Claim only events with these ordering keys (an inline run). */
  readonly onlyKeys?: readonly string[];
  /** There is a backlog: the earliest deadline first, then the longest due. */
  readonly deadlineFirst?: boolean | undefined;
  /** Look so far ahead for the next due time. Milliseconds. */
  readonly lookAheadMs?: number | undefined;
  /** Begin behind this place of the queue. */
  readonly behind?: Place | undefined;
}

/** A row of the queue; its instants are as the driver returns them. */
export interface QueueRow
  extends Pick<
      OutboxEvent,
      'type' | 'payload' | 'payloadVersion' | 'subjectId' | 'subjectNo' | 'orderingKey'
    >,
    Pick<
      OutboxEvent,
      'attempt' | 'failures' | 'interruptions' | 'vainQuestions' | 'requestId' | 'traceparent'
    >,
    Record<'snoozeSince' | 'vainSince' | 'unknownAt' | 'deadlineAt' | 'createdAt' | 'runAt', unknown>,
    Record<'queueAt' | 'leaseUntil' | 'now', unknown> {
  readonly id: number | string;
}

const columns = raw(`id, type, payload, payload_version AS payloadVersion, subject_id AS subjectId,
      subject_no AS subjectNo, ordering_key AS orderingKey, attempt, failures, interruptions,
      snooze_since AS snoozeSince, vain_questions AS vainQuestions, vain_since AS vainSince,
      unknown_at AS unknownAt, deadline_at AS deadlineAt, request_id AS requestId, traceparent,
      created_at AS createdAt, run_at AS runAt, queue_at AS queueAt, lease_until AS leaseUntil`);

/** Part of every claim: an event whose type is paused is not claimed; nothing else about it changes. */
const notPaused = sql`
      AND type NOT IN (SELECT type FROM event_pause WHERE until_at > ${now} AND ended_at IS NULL)`;

/**
 * outbox_event_queue delivers the order, so the scan stops at the limit and locks nothing else. What was
 * claimed leaves its old entry in the index until the server has purged it; `behind` begins after those
 * entries.
 */
export function selectDue(wanted: Wanted, without: readonly string[]): Sql {
  const { behind, lookAheadMs = 0, onlyKeys, limit } = wanted;
  const further = behind
    ? sql`AND (queue_at > ${behind.queueAt} OR (queue_at = ${behind.queueAt} AND id > ${behind.id}))`
    : sql``;
  const notThese = without.length > 0 ? sql`AND id NOT IN (${ids(without)})` : sql``;
  return sql`
    SELECT ${columns}, ${now} AS now FROM outbox_event ${onlyKeys ? byQueuedKey : byQueue}
    WHERE queue_at <= ${after(lookAheadMs)} ${matching(wanted)} ${further} ${notThese}
    ORDER BY queue_at, id ${limitTo(limit - without.length)} ${skipLocked}`;
}

/** outbox_event_urgent delivers the order; it holds only events that are in the queue and have a deadline. */
export function selectUrgent(wanted: Wanted): Sql {
  return sql`
    SELECT ${columns}, ${now} AS now FROM outbox_event ${byUrgency}
    WHERE urgent_at IS NOT NULL AND queue_at <= ${now} ${matching(wanted)}
    ORDER BY urgent_at, id ${limitTo(wanted.limit)} ${skipLocked}`;
}

function matching({ withoutTypes = [], onlyTypes = [], heldTypes = [], onlyKeys }: Wanted): Sql {
  const without = withoutTypes.length > 0 ? sql`AND type NOT IN (${join(withoutTypes)})` : sql``;
  const only = onlyTypes.length > 0 ? sql`AND type IN (${join(onlyTypes)})` : sql``;
  const keys = onlyKeys ? sql`AND queued_key IN (${join(onlyKeys)})` : sql``;
  return sql`${notPaused} ${without} ${only} ${notHeld(heldTypes)} ${keys}`;
}

function notHeld(types: readonly string[]): Sql {
  return types.length > 0 ? sql`AND (type NOT IN (${join(types)}) OR deadline_at <= ${now})` : sql``;
}

/** Of these keys: does anything run, or fall due within `ms` and may run then? */
export function selectMoving(keys: readonly string[], heldTypes: readonly string[], ms: number): Sql {
  return sql`
    SELECT id FROM outbox_event ${byQueuedKey} WHERE queued_key IN (${join(keys)})
      AND (lease_until IS NOT NULL OR (queue_at <= ${after(ms)} ${notPaused} ${notHeld(heldTypes)})) LIMIT 1`;
}

/** outbox_event_queue: its first entry answers. */
export function selectNextDue(lookAheadMs: number): Sql {
  return sql`
    SELECT queue_at AS queueAt, ${now} AS now FROM outbox_event ${byQueue}
    WHERE queue_at <= ${after(lookAheadMs)} ORDER BY queue_at LIMIT 1`;
}

/** Due events of a kind that this process does not understand. */
export function selectAlike({ type, payloadVersion }: QueueRow, limit: number): Sql {
  return sql`
    SELECT id FROM outbox_event ${byQueue}
    WHERE queue_at <= ${now} AND type = ${type} AND payload_version = ${payloadVersion}
    ORDER BY queue_at, id ${limitTo(limit)}`;
}

/** The condition is for rows that were not locked when they were read. */
export function postpone(list: readonly string[], byMs: number): Sql {
  return sql`
    UPDATE outbox_event ${byId} SET queue_at = ${after(byMs)}
    WHERE id IN (${ids(list)}) AND queue_at <= ${now}`;
}

export type Rival = Pick<QueueRow, 'id' | 'orderingKey' | 'leaseUntil'>;

/** The events of these keys in the queue: outbox_event_queued_key holds none that waits behind them. */
export function selectRivals(keys: readonly string[]): Sql {
  return sql`
    SELECT id, queued_key AS orderingKey, lease_until AS leaseUntil FROM outbox_event ${byQueuedKey}
    WHERE queued_key IN (${join(keys)})`;
}

export function lockQueued(list: readonly string[]): Sql {
  return sql`
    SELECT id FROM outbox_event ${byId}
    WHERE id IN (${ids(list)}) AND status = 'pending' AND queue_at IS NOT NULL ${lockingRows}`;
}

export function block(id: string): Sql {
  return sql`UPDATE outbox_event ${byId} SET queue_at = NULL WHERE id = ${id}`;
}

export function countInterruption(list: readonly string[]): Sql {
  return sql`
    UPDATE outbox_event ${byId} SET interruptions = interruptions + 1, unknown_at = ${now},
      outcome = 'unknown'
    WHERE id IN (${ids(list)})`;
}

export function endInterruptedAttempt(eventId: string, number: number): Sql {
  return sql`
    UPDATE event_attempt SET finished_at = ${now}, outcome = 'unknown', error_code = 'interrupted',
      error_message = 'the worker never said how it ended', decision = 'started again by another claim'
    WHERE event_id = ${eventId} AND number = ${number} AND finished_at IS NULL`;
}

/** The rows are locked by the claim, so their ids are condition enough. */
export function takeLease(list: readonly string[], worker: string, leaseMs: number): Sql {
  return sql`
    UPDATE outbox_event ${byId} SET attempt = attempt + 1, lease_until = ${after(leaseMs)},
      queue_at = ${after(leaseMs)}, claimed_by = ${worker}
    WHERE id IN (${ids(list)})`;
}

/** After `takeLease`: the row holds the attempt's number by then. */
export function startAttempts(list: readonly string[], worker: string, trigger: Trigger): Sql {
  return sql`
    INSERT INTO event_attempt (event_id, number, ${raw('`trigger`')}, worker, started_at)
    SELECT id, attempt, ${trigger}, ${worker}, ${now} FROM outbox_event ${byId} WHERE id IN (${ids(list)})`;
}

// Holding

/** For a step in the middle of an attempt: the row, if this attempt still holds it. */
export function lockLeased(id: string, attempt: number): Sql {
  return sql`
    SELECT id FROM outbox_event ${byId} WHERE id = ${id} AND attempt = ${attempt}
      AND status = 'pending' AND lease_until IS NOT NULL ${lockingRows}`;
}

export interface HeldLeases {
  readonly leases: readonly { readonly id: string; readonly attempt: number }[];
  readonly worker: string;
}

/** All leases of a process in one statement. */
export function renewLeases(dialect: Dialect, held: HeldLeases, leaseMs: number): Sql {
  return sql`
    UPDATE outbox_event ${byId} SET lease_until = ${after(leaseMs)}, queue_at = ${after(leaseMs)}
    WHERE ${stillHeld(dialect, held)}`;
}

export function selectStillHeld(dialect: Dialect, held: HeldLeases): Sql {
  return sql`SELECT id, attempt FROM outbox_event ${byId} WHERE ${stillHeld(dialect, held)}`;
}

/** MySQL and MariaDB compare a pair with a list of rows, SQLite with a table of values. */
function stillHeld(dialect: Dialect, { leases, worker }: HeldLeases): Sql {
  const fence = join(
    leases.map(({ id, attempt }) => sql`(${leases.length > 1 ? idAmongMany(id) : id}, ${attempt})`),
  );
  const pairs = dialect.name === 'sqlite' ? sql`(VALUES ${fence})` : sql`(${fence})`;
  return sql`id IN (${ids(leases.map(({ id }) => id))}) AND (id, attempt) IN ${pairs}
      AND status = 'pending' AND lease_until > ${now} AND claimed_by = ${worker}`;
}

// Settling

/** Characters, as wide as their columns. */
const MESSAGE_MAX = 500;
const DECISION_MAX = 200;

/** Events with the same attempt, type and transition. Fenced: it changes no row whose lease was lost. */
export function settleEvents(
  list: readonly string[],
  { attempt, type }: { readonly attempt: number; readonly type: string },
  transition: Transition,
): Sql {
  const { status, failures, interruptions, vainQuestions, failure, runInMs } = transition;
  const runAt = runInMs === null ? null : after(runInMs);
  return sql`
    UPDATE outbox_event ${byId} SET status = ${status}, failures = ${failures},
      interruptions = ${interruptions}, run_at = ${runAt ?? sql`run_at`}, queue_at = ${runAt},
      lease_until = NULL, claimed_by = NULL,
      snooze_since = ${transition.snoozing ? sql`COALESCE(snooze_since, ${now})` : null},
      vain_questions = ${vainQuestions},
      vain_since = ${vainQuestions > 0 ? sql`COALESCE(vain_since, ${now})` : null},
      unknown_at = ${transition.newDoubt ? now : sql`unknown_at`}, outcome = ${transition.outcome},
      last_error_code = ${failure?.code ?? null}, last_error_message = ${messageOf(transition)},
      cause = ${status === 'errored' && failure ? causeOf(type, failure) : sql`cause`},
      settled_at = ${status === 'pending' ? null : now}
    WHERE id IN (${ids(list)}) AND attempt = ${attempt} AND status = 'pending' AND lease_until IS NOT NULL`;
}

function messageOf({ failure }: Transition): string | null {
  return failure ? cutCharacters(failure.message, MESSAGE_MAX) : null;
}

/** What differs between attempts that are ended by one statement. */
export interface AttemptEnd {
  readonly eventId: string;
  readonly durationMs: number;
  readonly exchanges: string | null;
}

/** Attempts with the same number, outcome, decision and failure. By event_attempt's primary key. */
export function endAttempts(ends: readonly AttemptEnd[], number: number, transition: Transition): Sql {
  return sql`
    UPDATE event_attempt SET finished_at = ${now}, duration_ms = ${perEvent(ends, 'durationMs')},
      outcome = ${transition.outcome}, decision = ${cutCharacters(transition.decision, DECISION_MAX)},
      error_code = ${transition.failure?.code ?? null}, error_message = ${messageOf(transition)},
      exchanges = ${perEvent(ends, 'exchanges')}
    WHERE event_id IN (${ids(ends.map(({ eventId }) => eventId))}) AND number = ${number}`;
}

/** A value for each event. Most rows share one value: write it as the CASE's ELSE. */
function perEvent(ends: readonly AttemptEnd[], column: 'durationMs' | 'exchanges'): Sql {
  const groups = alike(ends, (end) => String(end[column])).sort((a, b) => b.length - a.length);
  const [most = [], ...others] = groups;
  const usual = most[0]?.[column] ?? null;
  const cases = others.flat().map((end) => sql`WHEN ${idAmongMany(end.eventId)} THEN ${end[column]}`);
  return cases.length === 0 ? sql`${usual}` : sql`CASE event_id ${join(cases, ' ')} ELSE ${usual} END`;
}

// Ordering keys

/** outbox_event_pending_key holds, for each key, the oldest pending event first. */
export function selectOldest(keys: readonly string[]): Sql {
  const oldest = keys.map(
    (key, i) => sql`
    SELECT * FROM (SELECT id, queue_at AS queueAt FROM outbox_event ${byPendingKey}
      WHERE pending_key = ${key} ORDER BY id LIMIT 1) AS ${raw(`k${i}`)}`,
  );
  return sql`${join(oldest, ' UNION ALL ')}`;
}

export function promote(list: readonly string[]): Sql {
  return sql`
    UPDATE outbox_event ${byId} SET queue_at = run_at
    WHERE id IN (${ids(list)}) AND status = 'pending' AND queue_at IS NULL`;
}

export function selectOlder(key: string, id: string): Sql {
  return sql`SELECT id FROM outbox_event ${byPendingKey} WHERE pending_key = ${key} AND id < ${id} LIMIT 1`;
}

/** Of a single key the newest event is enough: it settles last. */
export function lockPending(keys: readonly string[]): Sql {
  const newest = keys.length === 1 ? raw('ORDER BY id DESC LIMIT 1') : sql``;
  return sql`
    SELECT pending_key AS pendingKey FROM outbox_event ${byPendingKey}
    WHERE pending_key IN (${join(keys)}) ${newest} ${lockingRows}`;
}

// Recording, and changing what was recorded

export type NewEvent = Pick<
  OutboxEvent,
  'type' | 'subjectId' | 'subjectNo' | 'payload' | 'payloadVersion' | 'dedupeKey' | 'orderingKey'
> &
  Pick<OutboxEvent, 'deadlineAt' | 'requestId' | 'traceparent'> & {
    readonly runInMs: number;
    readonly isBlocked: boolean;
  };

export function insertEvent(event: NewEvent): Sql {
  const runAt = after(event.runInMs);
  return sql`
    INSERT INTO outbox_event (type, status, subject_id, subject_no, payload, payload_version, dedupe_key,
      ordering_key, run_at, queue_at, deadline_at, request_id, traceparent, created_at)
    VALUES (${event.type}, 'pending', ${event.subjectId}, ${event.subjectNo}, ${event.payload},
      ${event.payloadVersion}, ${event.dedupeKey}, ${event.orderingKey}, ${runAt},
      ${event.isBlocked ? null : runAt}, ${event.deadlineAt}, ${event.requestId},
      ${event.traceparent}, ${now})`;
}

export function selectRecorded(dedupeKey: string): Sql {
  return sql`SELECT id FROM outbox_event ${byDedupeKey} WHERE dedupe_key = ${dedupeKey}`;
}

export function makeRecordedDue(dedupeKey: string): Sql {
  return sql`
    UPDATE outbox_event ${byDedupeKey} SET run_at = ${now}, queue_at = ${now}
    WHERE dedupe_key = ${dedupeKey} AND status = 'pending' AND lease_until IS NULL AND queue_at IS NOT NULL`;
}

export function makeKeyDue(orderingKey: string): Sql {
  return sql`
    UPDATE outbox_event ${byQueuedKey} SET run_at = ${now}, queue_at = ${now}
    WHERE queued_key = ${orderingKey} AND lease_until IS NULL AND queue_at > ${now}`;
}

export function handleRecorded(dedupeKey: string): Sql {
  return sql`
    UPDATE outbox_event ${byDedupeKey}
    SET status = 'handled', queue_at = NULL, lease_until = NULL, claimed_by = NULL, settled_at = ${now}
    WHERE dedupe_key = ${dedupeKey} AND status = 'pending'`;
}

// The heartbeat, which an idle scheduler sends with each tick

export interface Beat {
  readonly worker: string;
  /** Null: no sweep ended since the last beat. */
  readonly sweepMs: number | null;
  readonly running: number;
  /** JSON. */
  readonly breakers: string;
}

/** By the primary key. `also`: a condition that is true and, on MySQL and MariaDB, brings back a value. */
export function beatAgain({ worker, sweepMs, running, breakers }: Beat, also = sql``): Sql {
  return sql`
    UPDATE process_heartbeat SET seen_at = ${now}, swept_at = ${sweepMs === null ? sql`swept_at` : now},
      sweep_ms = ${sweepMs}, running = ${running}, breakers = ${breakers}
    WHERE worker = ${worker} ${also}`;
}

/**
 * A condition of `beatAgain` that brings back when the next event falls due, as `insertId`: 0 for none, else
 * 1 more than the milliseconds until then. LAST_INSERT_ID(expression) is the only way in which an UPDATE of
 * MySQL or MariaDB answers with a value; a SELECT beside it would be a second statement at every tick of
 * every idle process.
 */
export function andNextDue(dialect: Dialect, lookAheadMs: number): Sql {
  const dueIn = sql`COALESCE((
      SELECT 1 + GREATEST(0, TIMESTAMPDIFF(MICROSECOND, ${now}, queue_at) DIV 1000)
      FROM outbox_event ${byQueue} WHERE queue_at <= ${after(lookAheadMs)} ORDER BY queue_at LIMIT 1), 0)`;
  return sql`AND ${dialect.remembered(dueIn)} >= 0`;
}
