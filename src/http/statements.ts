import { after, now, type Sql, sql } from '../database/sql.js';

/**
 * The statements of the idempotency record that every order sends: the look before it, the record in T1, the
 * answer in T2. All by primary key. They are SQL because they are hot: a prepared UPDATE by primary key costs
 * the process 0.06 ms of its CPU, the same through the query builder 0.16 ms (MariaDB; a SELECT 0.05 and 0.22).
 */

export interface RecordRow {
  readonly scope_hash: string;
  readonly body_hash: string;
  readonly state: string;
  readonly subject_ids: string | null;
  readonly response_status: number;
  readonly response_body: string;
  /** 1: a run of the request holds the record. */
  readonly locked: number | string;
  /** 1: it is older than `keepMs`. */
  readonly expired: number | string;
}

export function recordsOf(scopes: readonly [string, string], keepMs: number): Sql {
  return sql`
    SELECT scope_hash, body_hash, state, subject_ids, response_status, response_body, CASE WHEN locked_until > ${now} THEN 1 ELSE 0 END AS locked, CASE WHEN created_at <= ${after(-keepMs)} THEN 1 ELSE 0 END AS expired
    FROM idempotency_record WHERE scope_hash IN (${scopes[0]}, ${scopes[1]})`;
}

export interface NewRecord {
  readonly scopeHash: string;
  readonly bodyHash: string;
  readonly owner: string;
  readonly caller: string;
  readonly operation: string;
  readonly lockMs: number;
  readonly subjects: string;
}

/** In T1, by a request that has no record yet. */
export function insertRunning(record: NewRecord): Sql {
  return sql`
    INSERT INTO idempotency_record (scope_hash, caller, operation, body_hash, state, owner, locked_until, subject_ids, created_at)
    VALUES (${record.scopeHash}, ${record.caller}, ${record.operation}, ${record.bodyHash}, 'running', ${record.owner}, ${after(record.lockMs)}, ${record.subjects}, ${now})`;
}

/** In T2. Zero rows: another run of the request holds the record. */
export function completeRecord(scopeHash: string, owner: string, status: number, body: string): Sql {
  return sql`
    UPDATE idempotency_record SET state = 'completed', response_status = ${status}, response_body = ${body} WHERE scope_hash = ${scopeHash} AND owner = ${owner}`;
}
