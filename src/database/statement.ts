import type mysql2 from 'mysql2';
import { QueryFailedError, type QueryRunner } from 'typeorm';
import type { Executed, Queryable } from './queryable.js';
import { type Dialect, fromSqlInstant, now, type Rendered, render, type Sql, sql } from './sql.js';

/** Rows of a SELECT. */
export async function select<T>(runner: QueryRunner, dialect: Dialect, statement: Sql): Promise<T[]> {
  const rendered = render(statement, dialect);
  if (dialect.name === 'mysql') return (await send(runner, rendered)) as T[];
  return (await runner.query(rendered.text, rendered.params as unknown[])) as T[];
}

/** An INSERT, UPDATE, DELETE or a statement of DDL. */
export async function change(runner: QueryRunner, dialect: Dialect, statement: Sql): Promise<Executed> {
  const rendered = render(statement, dialect);
  if (dialect.name === 'mysql') {
    const { affectedRows, insertId } = (await send(runner, rendered)) as mysql2.ResultSetHeader;
    return { affected: affectedRows, insertId: String(insertId) };
  }
  const result = (await runner.query(rendered.text, rendered.params as unknown[], true)) as {
    affected?: number;
    raw: unknown;
  };
  return { affected: result.affected ?? 0, insertId: String(result.raw ?? '') };
}

/** The clock is in no table, so TypeORM has no words for it. */
export async function readClock(queryable: Pick<Queryable, 'query'>): Promise<Date> {
  const [row] = await queryable.query<{ now: unknown }>(sql`SELECT ${now} AS now`);
  return fromSqlInstant(row?.now);
}

/** Ends a transaction that `begin` of the MySQL pools began; SQLite's runner does it by itself. */
export async function sendPlain(runner: QueryRunner, text: string): Promise<void> {
  await send(runner, { text, params: [], isStable: false });
}

/**
 * Hands a statement to mysql2 on the runner's connection. What TypeORM does for each statement (events, a
 * structured result) costs more than mysql2's own part. A statement whose text comes again is prepared, once
 * for each connection. Log and error are TypeORM's, so that a reader of those sees every statement.
 */
async function send(runner: QueryRunner, { text, params, isStable }: Rendered): Promise<unknown> {
  const connection = (await runner.connect()) as mysql2.PoolConnection;
  runner.dataSource.logger.logQuery(text, params as (string | number | null)[], runner);
  return new Promise((resolve, reject) => {
    const answered = (error: Error | null, result: unknown): void =>
      error ? reject(new QueryFailedError(text, [...params], error)) : resolve(result);
    if (isStable) connection.execute(text, params as (string | number | null)[], answered);
    else connection.query(text, params as (string | number | null)[], answered);
  });
}
