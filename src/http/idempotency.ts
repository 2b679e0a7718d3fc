import { createHash, randomUUID } from 'node:crypto';
import type { Role } from '../base/caller.js';
import { Problem, problemBody } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { CommitUnknown, duplicateOf, isUnavailable } from '../database/errors.js';
import { instant, isNotAfter } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { IdempotencyRecord } from '../entities/idempotency-record.js';
import { completeRecord, insertRunning, type RecordRow, recordsOf } from './statements.js';

/** Seven days, as the contract promises. */
export const IDEMPOTENCY_KEEP_MS = 7 * 86_400_000;

/** One request as the caller means it: the same key again is the same request again. */
export interface Attempted {
  readonly caller: string;
  /** A user and a service of one name are two callers. */
  readonly role: Role;
  readonly operation: string;
  readonly key: string;
  /** The parsed body: what the caller wants, whatever the spacing. */
  readonly body: unknown;
  readonly instance: string;
  readonly requestId: string;
  /** No other run takes the request over before that. Milliseconds. */
  readonly lockMs: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly replayed: boolean;
}

export interface Ticket {
  readonly scopeHash: string;
  readonly bodyHash: string;
  readonly owner: string;
  readonly attempted: Attempted;
  /** A row exists already and is ours. */
  readonly taken: boolean;
  /** What an earlier run of this request, which died, had begun to work on. */
  readonly resume: readonly string[];
}

type Found =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'go'; readonly ticket: Ticket };

/**
 * Looks whether this request was made before. If it was answered: the same answer. If it is running: a
 * Problem. If it died in the middle, or ended in a 5xx: it is taken over, and `resume` names what it had
 * begun.
 */
export async function begin(database: Database, attempted: Attempted): Promise<Found> {
  const ofRole = hash([attempted.role, attempted.caller, attempted.operation, attempted.key]);
  // Records from before the role was part of the scope hold for their seven days, so that an upgrade repeats
  // no request.
  const ofBefore = hash([attempted.caller, attempted.operation, attempted.key]);
  const bodyHash = hash(attempted.body);
  const rows = await database.query<RecordRow>(recordsOf([ofRole, ofBefore], IDEMPOTENCY_KEEP_MS));
  const row = rows.find((one) => one.scope_hash === ofRole) ?? rows.find((one) => Number(one.expired) === 0);
  const scopeHash = row?.scope_hash ?? ofRole;
  const ticket: Ticket = { scopeHash, bodyHash, owner: randomUUID(), attempted, taken: false, resume: [] };
  if (row && Number(row.expired) === 1) await deleteExpired(database, scopeHash);
  if (!row || Number(row.expired) === 1) return { kind: 'go', ticket };
  if (row.body_hash !== bodyHash) throw new Problem('idempotency-key-reused');
  if (row.state === 'completed')
    return {
      kind: 'answer',
      answer: { status: row.response_status, body: JSON.parse(row.response_body), replayed: true },
    };
  if (row.state === 'running' && Number(row.locked) === 1) throw inProgress();
  if (!(await takeOver(database, ticket))) throw inProgress();
  return {
    kind: 'go',
    ticket: {
      ...ticket,
      taken: true,
      resume: row.state === 'running' && row.subject_ids ? row.subject_ids.split(',') : [],
    },
  };
}

async function deleteExpired(database: Database, scopeHash: string): Promise<void> {
  const createdAt = isNotAfter(database, -IDEMPOTENCY_KEEP_MS);
  await database.manager.delete(IdempotencyRecord, { scopeHash, createdAt });
}

/** Of the runs that find a request released, or its lock run out, one gets it. */
async function takeOver(database: Database, { scopeHash, owner, attempted }: Ticket): Promise<boolean> {
  const state = 'running' as const;
  const { affected } = await database.manager
    .createQueryBuilder()
    .update(IdempotencyRecord)
    .set({ state, owner, lockedUntil: instant(database, attempted.lockMs) })
    .where([
      { scopeHash, state: 'released' },
      { scopeHash, state, lockedUntil: isNotAfter(database) },
    ])
    .execute();
  return affected === 1;
}

/**
 * In the transaction that begins the work: from its commit on, the request can be completed after a crash.
 */
export async function hold(tx: Tx, ticket: Ticket, subjects: readonly string[]): Promise<void> {
  const { attempted, scopeHash } = ticket;
  if (ticket.taken) {
    const running = {
      state: 'running',
      subjectIds: subjects.join(','),
      lockedUntil: instant(tx, attempted.lockMs),
    } as const;
    const { affected } = await tx.manager.update(
      IdempotencyRecord,
      { scopeHash, owner: ticket.owner },
      running,
    );
    if (affected !== 1) throw inProgress();
    return;
  }
  try {
    await tx.execute(insertRunning({ ...attempted, ...ticket, subjects: subjects.join(',') }));
  } catch (error) {
    if (duplicateOf(error)) throw inProgress();
    throw error;
  }
}

/**
 * Keeps the answer for the key, in the transaction that ends the work if there is one. False: another run
 * holds the record.
 */
export async function complete(
  tx: Pick<Tx, 'execute'>,
  ticket: Ticket,
  status: number,
  body: unknown,
): Promise<boolean> {
  const { scopeHash, owner } = ticket;
  const { affected } = await tx.execute(completeRecord(scopeHash, owner, status, JSON.stringify(body)));
  return affected === 1;
}

/** The request ended in a 5xx: the same key starts afresh. False: another run has taken the request over. */
export async function letGo(tx: Pick<Tx, 'manager'>, { scopeHash, owner }: Ticket): Promise<boolean> {
  const held = { scopeHash, owner, state: 'running' } as const;
  const { affected } = await tx.manager.update(IdempotencyRecord, held, { state: 'released' });
  return affected === 1;
}

/**
 * It could not begin: the next request with this key takes over at once, with what an earlier run had begun.
 */
async function handBack(database: Database, { scopeHash, owner }: Ticket): Promise<void> {
  const held = { scopeHash, owner, state: 'running' } as const;
  await database.manager.update(IdempotencyRecord, held, { lockedUntil: instant(database) });
}

/**
 * A refusal is an answer, too: the same key gets it again. A refusal that may pass is not kept. Returns what
 * the caller is told: when another run of this request holds the record, that run's answer counts, and ours
 * is not given.
 */
export async function keepRefusal(database: Database, ticket: Ticket, problem: Problem): Promise<Problem> {
  // A refusal that cannot be kept is still the answer.
  return tryToKeep(database, ticket, problem).catch(() => problem);
}

/** Ends a run of the request that failed: throws what the caller is told, and keeps it where it is a refusal. */
export async function endFailed(database: Database, ticket: Ticket, error: unknown): Promise<never> {
  const told = afterCommit(ticket, error);
  throw told instanceof Problem ? await keepRefusal(database, ticket, told) : told;
}

async function tryToKeep(database: Database, ticket: Ticket, problem: Problem): Promise<Problem> {
  if (problem.status >= 500 || isTemporary(problem)) {
    await handBack(database, ticket);
    return problem;
  }
  const body = problemBody(problem, ticket.attempted.instance, ticket.attempted.requestId);
  return (await keepAnswer(database, ticket, problem.status, body)) ? problem : inProgress();
}

/**
 * Keeps this answer for the key, with or without an earlier record. False: another run of the request holds
 * the record.
 */
export async function keepAnswer(
  database: Database,
  ticket: Ticket,
  status: number,
  body: unknown,
): Promise<boolean> {
  if (await complete(database, ticket, status, body)) return true;
  const { attempted } = ticket;
  try {
    await insertRow(database, IdempotencyRecord, {
      scopeHash: ticket.scopeHash,
      caller: attempted.caller,
      operation: attempted.operation,
      bodyHash: ticket.bodyHash,
      state: 'completed',
      owner: ticket.owner,
      lockedUntil: instant(database),
      responseStatus: status,
      responseBody: JSON.stringify(body),
      createdAt: instant(database),
    });
    return true;
  } catch (error) {
    if (duplicateOf(error)) return false;
    throw error;
  }
}

/**
 * The error that the caller is told. Once a run of this request has committed, "nothing was kept" would be
 * false.
 */
function afterCommit(ticket: Ticket, error: unknown): unknown {
  const hadCommitted = ticket.resume.length > 0;
  const isLost = error instanceof CommitUnknown || (hadCommitted && isUnavailable(error));
  return isLost ? new Problem('outcome-unknown', { retryAfterS: 2, cause: error }) : error;
}

function inProgress(): Problem {
  return new Problem('idempotency-in-progress', { retryAfterS: 1 });
}

function isTemporary(problem: Problem): boolean {
  return problem.code === 'order-busy' || problem.code === 'idempotency-in-progress';
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex');
}

/** Same members, same hash, whatever their order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, canonical(member)]),
  );
}
