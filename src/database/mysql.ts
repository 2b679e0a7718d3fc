import mysql2 from 'mysql2';
import { DataSource, type QueryRunner } from 'typeorm';
import type { MysqlDriver } from 'typeorm/driver/mysql/MysqlDriver.js';
import { MysqlQueryRunner } from 'typeorm/driver/mysql/MysqlQueryRunner.js';
import { entities } from '../entities/index.js';
import { lendConnection, replaceRunners, setInTransaction, withoutMetadataTable } from './internals.js';
import { isUnlimited, limited } from './limit.js';
import { migrations } from './migrations/index.js';
import { sendPlain } from './statement.js';

const LOCK_WAIT_S = 5;
const IDLE_TRANSACTION_S = 10;

export interface MysqlOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  /** What the server itself ends after so long. Milliseconds. */
  readonly serverLimitMs: number | undefined;
}

/** TypeORM's pool, for single statements and for reads, and a pool of the same options for transactions. */
export async function openMysql(
  options: MysqlOptions,
): Promise<{ source: DataSource; transactions: mysql2.Pool }> {
  let transactions: mysql2.Pool | undefined;
  const driver = {
    ...mysql2,
    createPool(pool: mysql2.PoolOptions) {
      transactions = withSession(mysql2.createPool(pool), options.serverLimitMs, 'SET autocommit=0');
      return withSession(mysql2.createPool(pool), options.serverLimitMs);
    },
  };
  const source = new DataSource({
    type: 'mysql',
    url: options.url,
    driver,
    entities,
    migrations,
    timezone: 'Z',
    charset: 'utf8mb4_bin',
    poolSize: options.poolSize,
    connectTimeout: 5_000,
    // The server keeps 16,382 prepared statements for all its connections together.
    extra: { enableKeepAlive: true, maxIdle: options.poolSize, maxPreparedStatements: 100 },
  });
  limitStatements(source, options.statementTimeoutMs);
  withoutMetadataTable(source);
  await source.initialize();
  return { source, transactions: transactions as mysql2.Pool };
}

/** What goes through TypeORM's EntityManager has the same limit as what goes through `Database.query`. */
function limitStatements(source: DataSource, timeoutMs: number): void {
  class LimitedRunner extends MysqlQueryRunner {
    override async query(text: string, params?: never, structured?: never): Promise<never> {
      const work = () => super.query(text, params, structured) as Promise<never>;
      const runner = this as unknown as QueryRunner;
      return isUnlimited(runner) ? work() : limited(runner, timeoutMs, work);
    }
  }
  const driver = source.driver as MysqlDriver;
  replaceRunners(source, (mode) => new LimitedRunner(driver, mode) as unknown as QueryRunner);
}

/**
 * Sets up each new connection. mysql2 has no option for a first statement; the pool's event is the one place
 * that no connection passes by.
 */
function withSession(pool: mysql2.Pool, serverLimitMs: number | undefined, more?: string): mysql2.Pool {
  pool.on('connection', (connection) => {
    connection.query(
      `SET time_zone='+00:00', innodb_lock_wait_timeout=${LOCK_WAIT_S}, sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'`,
    );
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'); // claims under REPEATABLE READ deadlock on gap locks
    if (more) connection.query(more, (error) => error && connection.destroy());
    // A process that froze, or lost its network, in a transaction would keep its locks until it is back.
    // MariaDB ends
    // such a transaction; MySQL has no such limit and refuses the statement.
    connection.query(`SET SESSION idle_transaction_timeout=${IDLE_TRANSACTION_S}`, () => {});
    if (serverLimitMs === undefined) return;
    // MariaDB knows the first, MySQL the second; each refuses the other.
    connection.query(`SET SESSION max_statement_time=${serverLimitMs / 1000}`, () => {});
    connection.query(`SET SESSION max_execution_time=${serverLimitMs}`, () => {});
  });
  return pool;
}

/** On a connection without autocommit a transaction begins with its first statement: one round trip less. */
export async function beginOn(runner: QueryRunner, transactions: mysql2.Pool): Promise<void> {
  const connection = await new Promise<mysql2.PoolConnection>((resolve, reject) =>
    transactions.getConnection((error, got) => (error ? reject(error) : resolve(got))),
  );
  lendConnection(runner, connection);
  setInTransaction(runner, true);
}

export async function endOn(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  await sendPlain(runner, how);
  setInTransaction(runner, false);
}
