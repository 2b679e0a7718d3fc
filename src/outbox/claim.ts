import { crashPoint } from '../base/crash-point.js';
import type { Database, Tx } from '../database/database.js';
import {
  after,
  fromSqlInstant,
  fromSqlInstantOrNull,
  ids,
  join,
  now,
  raw,
  type Sql,
  sql,
} from '../database/sql.js';
import type { Trigger } from '../entities/event-attempt.js';
import { INTERRUPTIONS_MAX } from './decide.js';
import { notPaused } from './paused.js';
import type { Registry } from './registry.js';
import type { ClaimedEvent } from './types.js';

/** How long an event of an unknown type, or of a newer payload version, is left to other processes. */
const LEFT_ALONE_MS = 60_000;
const LEFT_ALONE_ROWS = 1000;
/** How long a suspect waits while its process holds another one. */
const SUSPECT_WAITS_MS = 1_000;

export interface ClaimRequest {
  readonly limit: number;
  readonly worker: string;
  readonly leaseMs: number;
  readonly trigger: Trigger;
  /** Types whose target has no free slot. */
  readonly withoutTypes?: readonly string[];
  /** Claim only events of these types. */
  readonly onlyTypes?: readonly string[];
  /** Types whose vendor is known to be down: claimed only when their deadline has passed, so that their path can change. */
  readonly heldTypes?: readonly string[];
  /** Claim only events with these ordering keys (an inline run). */
  readonly onlyKeys?: readonly string[];
  /** There is a backlog: what has the earliest deadline first, then the longest due. */
  readonly deadlineFirst?: boolean;
  /** This process holds a suspect already; see `isSuspect`. */
  readonly holdsSuspect?: boolean;
  /** Look so far ahead for the next due time. Milliseconds. */
  readonly lookAheadMs?: number;
  /** Begin behind this place of the queue. */
  readonly behind?: Place | undefined;
}

/** A place in the queue: what follows has a later `queueAt`, or the same and a larger id. */
export interface Place {
  readonly queueAt: Date;
  readonly id: string;
}

/** A row as claimed: its payload still unparsed. */
export interface ClaimedRow extends Omit<ClaimedEvent, 'payload'> {
  readonly payload: string;
  readonly payloadVersion: number;
  readonly runAt: Date;
  /** The database's clock at the claim. */
  readonly claimedAt: Date;
}

export interface Claim {
  readonly rows: ClaimedRow[];
  /** There may be more that is due right now. */
  readonly full: boolean;
  /** How far down the queue it looked; null when it found nothing. */
  readonly place: Place | null;
  /** Milliseconds until the next event known to fall due, or null. */
  readonly nextDueInMs: number | null;
  readonly leftAlone: { type: string; version: number; count: number }[];
}

interface Row {
  id: number | string;
  type: string;
  payload: string;
  payload_version: number;
  subject_id: string | null;
  subject_no: string | null;
  ordering_key: string | null;
  attempt: number;
  failures: number;
  interruptions: number;
  snooze_since: unknown;
  vain_questions: number;
  vain_since: unknown;
  unknown_at: unknown;
  deadline_at: unknown;
  request_id: string | null;
  traceparent: string | null;
  created_at: unknown;
  run_at: unknown;
  queue_at: unknown;
  lease_until: unknown;
  now: unknown;
}

/**
 * Takes up to `limit` due events and a lease on each, in one short transaction: select with SKIP LOCKED, push `queue_at` back to
 * the end of the lease, raise the attempt, write its journal row. A worker that dies leaves events that fall due by themselves.
 */
export async function claim(database: Database, registry: Registry, request: ClaimRequest): Promise<Claim> {
  const claimed = await database.transaction(async (tx) => {
    const urgent = request.deadlineFirst ? await selectUrgent(tx, request) : [];
    const longestDue = urgent.length < request.limit ? await selectDue(tx, request, urgent) : [];
    const rows = [...urgent, ...longestDue];
    const dueRows = rows.filter((row) => fromSqlInstant(row.queue_at) <= fromSqlInstant(row.now));
    const known = dueRows.filter((row) => registry.knows(row.type, row.payload_version));
    const leftAlone = await leaveAlone(
      tx,
      dueRows.filter((row) => !known.includes(row)),
    );
    const { free, aside } = await oneSuspect(tx, await withoutBlocked(tx, known), request);
    if (free.length > 0) {
      await takeLease(tx, free, request);
      await journalStart(tx, free, request);
    }
    const upcoming = rows.find((row) => !dueRows.includes(row));
    const waits = [
      ...(upcoming
        ? [fromSqlInstant(upcoming.queue_at).getTime() - fromSqlInstant(upcoming.now).getTime()]
        : []),
      ...(aside.length > 0 ? [SUSPECT_WAITS_MS] : []),
    ];
    return {
      rows: free.map((row) => toClaimed(row, request.trigger)),
      full: dueRows.length === request.limit,
      place: placeOf(longestDue.at(-1)) ?? request.behind ?? null,
      nextDueInMs: waits.length > 0 ? Math.min(...waits) : null,
      leftAlone,
    };
  });
  if (claimed.rows.length > 0) crashPoint('after-claim');
  return claimed;
}

const columns =
  raw(`id, type, payload, payload_version, subject_id, subject_no, ordering_key, attempt, failures, interruptions, snooze_since, vain_questions, vain_since, unknown_at, deadline_at,
      request_id, traceparent, created_at, run_at, queue_at, lease_until`);

const idOf = ({ id }: { readonly id: number | string }): string => String(id);

function placeOf(row: Row | undefined): Place | undefined {
  return row && { queueAt: fromSqlInstant(row.queue_at), id: String(row.id) };
}

/**
 * Index outbox_event_queue (queue_at, id) delivers the order, so the scan stops at the limit and locks nothing else. What was claimed leaves
 * its old entry in the index until the server has purged it; `behind` begins after those.
 */
async function selectDue(tx: Tx, request: ClaimRequest, without: readonly Row[]): Promise<Row[]> {
  const conditions = conditionsOf(request);
  if (request.behind)
    conditions.push(
      sql`AND (queue_at > ${request.behind.queueAt} OR (queue_at = ${request.behind.queueAt} AND id > ${request.behind.id}))`,
    );
  if (without.length > 0) conditions.push(sql`AND id NOT IN (${ids(without.map(idOf))})`);
  return tx.query<Row>(sql`
    SELECT ${columns}, ${now} AS now FROM outbox_event ${raw(tx.dialect.useIndex(request.onlyKeys ? 'outbox_event_queued_key' : 'outbox_event_queue'))} WHERE queue_at <= ${after(request.lookAheadMs ?? 0)} ${join(conditions, ' ')}
    ORDER BY queue_at, id LIMIT ${raw(String(request.limit - without.length))} ${raw(tx.dialect.skipLocked)}`);
}

/** Index outbox_event_urgent (urgent_at) delivers the order; it holds only what is in the queue and has a deadline. */
async function selectUrgent(tx: Tx, request: ClaimRequest): Promise<Row[]> {
  return tx.query<Row>(sql`
    SELECT ${columns}, ${now} AS now FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_urgent'))} WHERE urgent_at IS NOT NULL AND queue_at <= ${now} ${join(conditionsOf(request), ' ')}
    ORDER BY urgent_at, id LIMIT ${raw(String(request.limit))} ${raw(tx.dialect.skipLocked)}`);
}

function conditionsOf(request: ClaimRequest): Sql[] {
  const conditions: Sql[] = [notPaused];
  if (request.withoutTypes?.length) conditions.push(sql`AND type NOT IN (${join(request.withoutTypes)})`);
  if (request.onlyTypes?.length) conditions.push(sql`AND type IN (${join(request.onlyTypes)})`);
  if (request.heldTypes?.length)
    conditions.push(sql`AND (type NOT IN (${join(request.heldTypes)}) OR deadline_at <= ${now})`);
  if (request.onlyKeys) conditions.push(sql`AND queued_key IN (${join(request.onlyKeys)})`);
  return conditions;
}

/** An event that this process does not understand is not failed: it is put aside for a while and reported. */
async function leaveAlone(
  tx: Tx,
  rows: readonly Row[],
): Promise<{ type: string; version: number; count: number }[]> {
  const kinds = new Map(rows.map((row) => [`${row.type} ${row.payload_version}`, row]));
  const left: { type: string; version: number; count: number }[] = [];
  for (const row of kinds.values()) {
    const alike = await tx.query<{ id: number | string }>(sql`
      SELECT id FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_queue'))} WHERE queue_at <= ${now} AND type = ${row.type} AND payload_version = ${row.payload_version}
      ORDER BY queue_at, id LIMIT ${raw(String(LEFT_ALONE_ROWS))}`);
    if (alike.length === 0) continue;
    const { affected } = await tx.execute(sql`
      UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = ${after(LEFT_ALONE_MS)} WHERE id IN (${ids(alike.map(idOf))}) AND queue_at <= ${now}`);
    left.push({ type: row.type, version: row.payload_version, count: affected });
  }
  return left;
}

/**
 * Two transactions that recorded the first two events of a key at once did not see each other, so both rows stand in the queue.
 * The later one is blocked here. The other row is locked first: it cannot settle without letting ours go on afterwards.
 */
async function withoutBlocked(tx: Tx, rows: readonly Row[]): Promise<Row[]> {
  const keys = [...new Set(rows.map((row) => row.ordering_key).filter((key) => key !== null))];
  if (keys.length === 0) return [...rows];
  const queued = await tx.query<{ id: number | string; ordering_key: string; lease_until: unknown }>(sql`
    SELECT id, queued_key AS ordering_key, lease_until FROM outbox_event ${raw(tx.dialect.useIndex('outbox_event_queued_key'))} WHERE queued_key IN (${join(keys)})`);
  const free: Row[] = [];
  for (const row of rows) {
    const rivals = queued.filter(
      (other) => other.ordering_key === row.ordering_key && String(other.id) !== String(row.id),
    );
    // Being leased ranks before being older: what runs is never overtaken. Our own expired lease ranks like any other lease.
    const ahead = rivals.some(
      (other) =>
        (other.lease_until !== null && row.lease_until === null) ||
        (BigInt(other.id) < BigInt(row.id) && (other.lease_until !== null || row.lease_until === null)),
    );
    if (ahead && (await stillPending(tx, rivals)))
      await tx.execute(
        sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = NULL WHERE id = ${String(row.id)}`,
      );
    else free.push(row);
  }
  return free;
}

async function stillPending(tx: Tx, rivals: readonly { id: number | string }[]): Promise<boolean> {
  const rows = await tx.query(
    sql`SELECT id FROM outbox_event ${raw(tx.dialect.byPrimaryKey)} WHERE id IN (${ids(rivals.map(idOf))}) AND status = 'pending' AND queue_at IS NOT NULL ${raw(tx.dialect.forUpdate)}`,
  );
  return rows.length > 0;
}

/**
 * Two attempts in a row ended without a word: it may itself be what kills its process, or have been claimed together with that. A process holds
 * one such event at a time: the one that kills is found out, and nobody else is counted out with it.
 */
export function isSuspect({ interruptions }: { readonly interruptions: number }): boolean {
  return interruptions === INTERRUPTIONS_MAX - 1;
}

/** At most one suspect, and none while the process holds one; the others fall due again a little later. */
async function oneSuspect(
  tx: Tx,
  rows: readonly Row[],
  { holdsSuspect }: ClaimRequest,
): Promise<{ free: Row[]; aside: Row[] }> {
  const suspects = rows.filter((row) => isSuspect({ interruptions: interruptionsOf(row) }));
  const aside = holdsSuspect ? suspects : suspects.slice(1);
  if (aside.length > 0)
    await tx.execute(
      sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = ${after(SUSPECT_WAITS_MS)} WHERE id IN (${ids(aside.map(idOf))})`,
    );
  return { free: rows.filter((row) => !aside.includes(row)), aside };
}

/** With the attempt that never said how it ended. */
const interruptionsOf = (row: Row): number => row.interruptions + (row.lease_until === null ? 0 : 1);

/** A row that still carries a lease was interrupted: its worker never said how it ended, so the outcome is unknown. */
async function takeLease(tx: Tx, rows: readonly Row[], request: ClaimRequest): Promise<void> {
  const interrupted = rows.filter((row) => row.lease_until !== null);
  if (interrupted.length > 0) {
    await tx.execute(sql`
      UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET interruptions = interruptions + 1, unknown_at = ${now}, outcome = 'unknown' WHERE id IN (${ids(interrupted.map(idOf))})`);
    for (const row of interrupted) {
      await tx.execute(sql`
        UPDATE event_attempt SET finished_at = ${now}, outcome = 'unknown', error_code = 'interrupted', error_message = 'the worker never said how it ended', decision = 'started again by another claim'
        WHERE event_id = ${String(row.id)} AND number = ${row.attempt} AND finished_at IS NULL`);
    }
  }
  await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET attempt = attempt + 1, lease_until = ${after(request.leaseMs)}, queue_at = ${after(request.leaseMs)}, claimed_by = ${request.worker} WHERE id IN (${ids(rows.map(idOf))})`);
}

/** After the lease was taken: the row says already which attempt this is. */
async function journalStart(tx: Tx, rows: readonly Row[], request: ClaimRequest): Promise<void> {
  await tx.execute(sql`
    INSERT INTO event_attempt (event_id, number, ${raw('`trigger`')}, worker, started_at)
    SELECT id, attempt, ${request.trigger}, ${request.worker}, ${now} FROM outbox_event ${raw(tx.dialect.byPrimaryKey)} WHERE id IN (${ids(rows.map(idOf))})`);
}

function toClaimed(row: Row, trigger: Trigger): ClaimedRow {
  const interrupted = row.lease_until !== null;
  return {
    id: String(row.id),
    type: row.type,
    payload: row.payload,
    payloadVersion: row.payload_version,
    subjectId: row.subject_id,
    subjectNo: row.subject_no,
    orderingKey: row.ordering_key,
    attempt: row.attempt + 1,
    failures: row.failures,
    interruptions: interruptionsOf(row),
    snoozeSince: fromSqlInstantOrNull(row.snooze_since),
    vainQuestions: row.vain_questions,
    vainSince: fromSqlInstantOrNull(row.vain_since),
    unknownAt: interrupted ? fromSqlInstant(row.now) : fromSqlInstantOrNull(row.unknown_at),
    deadlineAt: fromSqlInstantOrNull(row.deadline_at),
    requestId: row.request_id,
    traceparent: row.traceparent,
    createdAt: fromSqlInstant(row.created_at),
    runAt: fromSqlInstant(row.run_at),
    claimedAt: fromSqlInstant(row.now),
    trigger,
  };
}
