import { createHash, randomUUID } from 'node:crypto';
import type { Role } from '../base/caller.js';
import { Problem, problemBody } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { CommitUnknown, duplicateOf, isUnavailable } from '../database/errors.js';
import { after, now, sql } from '../database/sql.js';

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
  /** Nobody else takes the request over before that. Milliseconds. */
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
 * Looks whether this request was made before. Answered → the same answer. Running → Problem. Died in the middle, or ended in a 5xx →
 * taken over: `resume` names what it had begun.
 */
export async function begin(database: Database, attempted: Attempted): Promise<Found> {
  const ofRole = hash([attempted.role, attempted.caller, attempted.operation, attempted.key]);
  // Records of before the role was part of the scope hold for their seven days: nothing is done twice because of an upgrade.
  const ofBefore = hash([attempted.caller, attempted.operation, attempted.key]);
  const bodyHash = hash(attempted.body);
  const rows = await database.query<{
    scope_hash: string;
    body_hash: string;
    state: string;
    subject_ids: string | null;
    response_status: number;
    response_body: string;
    locked: number | string;
    expired: number | string;
  }>(sql`
    SELECT scope_hash, body_hash, state, subject_ids, response_status, response_body, CASE WHEN locked_until > ${now} THEN 1 ELSE 0 END AS locked, CASE WHEN created_at <= ${after(-IDEMPOTENCY_KEEP_MS)} THEN 1 ELSE 0 END AS expired
    FROM idempotency_record WHERE scope_hash IN (${ofRole}, ${ofBefore})`);
  const row = rows.find((one) => one.scope_hash === ofRole) ?? rows.find((one) => Number(one.expired) === 0);
  const scopeHash = row?.scope_hash ?? ofRole;
  const ticket: Ticket = { scopeHash, bodyHash, owner: randomUUID(), attempted, taken: false, resume: [] };
  if (row && Number(row.expired) === 1)
    await database.execute(
      sql`DELETE FROM idempotency_record WHERE scope_hash = ${scopeHash} AND created_at <= ${after(-IDEMPOTENCY_KEEP_MS)}`,
    );
  if (!row || Number(row.expired) === 1) return { kind: 'go', ticket };
  if (row.body_hash !== bodyHash) throw new Problem('idempotency-key-reused');
  if (row.state === 'completed')
    return {
      kind: 'answer',
      answer: { status: row.response_status, body: JSON.parse(row.response_body), replayed: true },
    };
  if (row.state === 'running' && Number(row.locked) === 1) throw inProgress();
  const { affected } = await database.execute(sql`
    UPDATE idempotency_record SET state = 'running', owner = ${ticket.owner}, locked_until = ${after(attempted.lockMs)}
    WHERE scope_hash = ${scopeHash} AND state <> 'completed' AND (state = 'released' OR locked_until <= ${now})`);
  if (affected !== 1) throw inProgress();
  return {
    kind: 'go',
    ticket: {
      ...ticket,
      taken: true,
      resume: row.state === 'running' && row.subject_ids ? row.subject_ids.split(',') : [],
    },
  };
}

/** In the transaction that begins the work: from its commit on, the request can be completed after a crash. */
export async function hold(tx: Tx, ticket: Ticket, subjects: readonly string[]): Promise<void> {
  const { attempted, scopeHash } = ticket;
  if (ticket.taken) {
    const { affected } = await tx.execute(sql`
      UPDATE idempotency_record SET state = 'running', subject_ids = ${subjects.join(',')}, locked_until = ${after(attempted.lockMs)} WHERE scope_hash = ${scopeHash} AND owner = ${ticket.owner}`);
    if (affected !== 1) throw inProgress();
    return;
  }
  try {
    await tx.execute(sql`
      INSERT INTO idempotency_record (scope_hash, caller, operation, body_hash, state, owner, locked_until, subject_ids, created_at)
      VALUES (${scopeHash}, ${attempted.caller}, ${attempted.operation}, ${ticket.bodyHash}, 'running', ${ticket.owner}, ${after(attempted.lockMs)}, ${subjects.join(',')}, ${now})`);
  } catch (error) {
    if (duplicateOf(error)) throw inProgress();
    throw error;
  }
}

/** The answer, in the transaction that ends the work where there is one: the same key gets the same answer from then on. */
export async function complete(
  tx: Pick<Tx, 'execute'>,
  ticket: Ticket,
  status: number,
  body: unknown,
): Promise<boolean> {
  const { affected } = await tx.execute(sql`
    UPDATE idempotency_record SET state = 'completed', response_status = ${status}, response_body = ${JSON.stringify(body)} WHERE scope_hash = ${ticket.scopeHash} AND owner = ${ticket.owner}`);
  return affected === 1;
}

/** It ended in a 5xx: the same key starts afresh. False: another run has taken the request over. */
export async function letGo(tx: Pick<Tx, 'execute'>, ticket: Ticket): Promise<boolean> {
  const { affected } = await tx.execute(
    sql`UPDATE idempotency_record SET state = 'released' WHERE scope_hash = ${ticket.scopeHash} AND owner = ${ticket.owner} AND state = 'running'`,
  );
  return affected === 1;
}

/** It could not even begin: the next one with this key may take over at once, with all that an earlier run had begun. */
async function handBack(database: Database, ticket: Ticket): Promise<void> {
  await database.execute(
    sql`UPDATE idempotency_record SET locked_until = ${now} WHERE scope_hash = ${ticket.scopeHash} AND owner = ${ticket.owner} AND state = 'running'`,
  );
}

/**
 * A refusal is an answer, too: the same key gets it again. What repeating may mend is not kept. Returns what the caller is told: where another run of
 * this request holds the record, that run's answer is the request's, and ours is not given.
 */
export async function keepRefusal(database: Database, ticket: Ticket, problem: Problem): Promise<Problem> {
  if (problem.status >= 500 || isTemporary(problem)) {
    await handBack(database, ticket);
    return problem;
  }
  const body = problemBody(problem, ticket.attempted.instance, ticket.attempted.requestId);
  return (await keepAnswer(database, ticket, problem.status, body)) ? problem : inProgress();
}

/** The same key gets this answer from now on, whether or not the request had written its record. False: another run of the request holds the record. */
export async function keepAnswer(
  database: Database,
  ticket: Ticket,
  status: number,
  body: unknown,
): Promise<boolean> {
  if (await complete(database, ticket, status, body)) return true;
  const { attempted } = ticket;
  try {
    await database.execute(sql`
      INSERT INTO idempotency_record (scope_hash, caller, operation, body_hash, state, owner, locked_until, response_status, response_body, created_at)
      VALUES (${ticket.scopeHash}, ${attempted.caller}, ${attempted.operation}, ${ticket.bodyHash}, 'completed', ${ticket.owner}, ${now}, ${status}, ${JSON.stringify(body)}, ${now})`);
    return true;
  } catch (error) {
    if (duplicateOf(error)) return false;
    throw error;
  }
}

/** `error` as the caller may hear it: once a run of this request has committed, "nothing was kept" would be false. */
export function afterCommit(ticket: Ticket, error: unknown): unknown {
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
