import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import mysql2 from 'mysql2';
import { DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import { type Clock, systemClock } from '../base/clock.js';
import { narrowIfThere, privateFile } from '../base/private-files.js';
import { entities } from '../entities/index.js';
import { mysqlDialect, sqliteDialect } from './dialects.js';
import { CommitUnknown, isDisconnected, isTransient } from './errors.js';
import { migrations } from './migrations/index.js';
import { type Dialect, fromSqlInstant, now, type Rendered, render, type Sql, sql } from './sql.js';
import { serializeSqlite } from './sqlite.js';

export interface Executed {
  /** Rows matched by an UPDATE or DELETE, rows inserted by an INSERT. */
  readonly affected: number;
  /** The id that an AUTO_INCREMENT column gave to the (first) row, as a string. */
  readonly insertId: string;
}

export interface Queryable {
  readonly dialect: Dialect;
  /** TypeORM's view of the same connection or transaction, for the read side. */
  readonly manager: EntityManager;
  query<T extends object>(statement: Sql): Promise<T[]>;
  execute(statement: Sql): Promise<Executed>;
}

/** An open transaction. Pass it on; never use the Database itself while one is open in the same flow. */
export interface Tx extends Queryable {
  readonly isOpen: boolean;
  /** Runs once the transaction has committed; never runs when it rolled back. */
  afterCommit(hook: () => void): void;
}

export interface DatabaseOptions {
  /** `mysql://user:pass@host:port/db` or `sqlite:./path.db` (`sqlite::memory:`). */
  readonly url: string;
  /** Connections for single statements, and as many for transactions; SQLite has one. */
  readonly poolSize?: number;
  /** A statement that has not answered by then is given up and its connection destroyed. Milliseconds. */
  readonly statementTimeoutMs?: number;
  /** What the server itself ends after so long. Milliseconds; MySQL and MariaDB only. */
  readonly serverLimitMs?: number;
  readonly clock?: Clock;
}

const LOCK_WAIT_S = 5;
const IDLE_TRANSACTION_S = 10;
const TRANSACTION_TRIES = 5;
/**
 * Which database has a transaction open in this flow. In development and in every test, so that the mistake is found; not in production, where
 * following each promise costs a tenth of the process's time.
 */
const inTransaction = process.env.NODE_ENV === 'production' ? undefined : new AsyncLocalStorage<DataSource>();

export class Database implements Queryable {
  private constructor(
    readonly source: DataSource,
    readonly dialect: Dialect,
    private readonly statementTimeoutMs: number,
    private readonly clock: Clock,
    /** Connections that are used for transactions alone; SQLite has one for all. */
    private readonly transactions?: mysql2.Pool,
  ) {}

  static async open(options: DatabaseOptions): Promise<Database> {
    const clock = options.clock ?? systemClock;
    const timeoutMs = options.statementTimeoutMs ?? 15_000;
    if (options.url.startsWith('sqlite:')) {
      const source = sqliteSource(options.url.slice('sqlite:'.length));
      await source.initialize();
      serializeSqlite(source);
      return new Database(source, sqliteDialect(clock), timeoutMs, clock);
    }
    const { source, transactions } = mysqlPools(options.url, options.poolSize ?? 10, options.serverLimitMs);
    await source.initialize();
    return new Database(source, mysqlDialect, timeoutMs, clock, transactions());
  }

  get manager(): EntityManager {
    this.#refuseInsideTransaction();
    return this.source.manager;
  }

  async query<T extends object>(statement: Sql): Promise<T[]> {
    return this.#withRunner((runner) => select<T>(runner, this.dialect, statement));
  }

  async execute(statement: Sql): Promise<Executed> {
    return this.#withRunner((runner) => change(runner, this.dialect, statement));
  }

  /** The database's clock: the one clock that leases, due times and cut-offs are compared with. */
  async now(): Promise<Date> {
    const [row] = await this.query<{ now: unknown }>(sql`SELECT ${now} AS now`);
    return fromSqlInstant(row?.now);
  }

  /**
   * One local transaction (READ COMMITTED; SQLite: IMMEDIATE). On a deadlock, a lock wait timeout or a busy file the whole of
   * `work` runs again, up to 5 times in all: it must not change anything but the database. No vendor is called in here.
   * Throws CommitUnknown when the connection was lost during COMMIT: then it may have been kept; after any other error nothing was.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    this.#refuseInsideTransaction();
    for (let tryNo = 1; ; tryNo++) {
      try {
        return await this.#transactionOnce(work);
      } catch (error) {
        if (!isTransient(error) || tryNo >= TRANSACTION_TRIES) throw error;
        await this.clock.sleep(tryNo * 10 * (0.5 + Math.random()));
      }
    }
  }

  async close(): Promise<void> {
    if (!this.source.isInitialized) return;
    await this.source.destroy();
    await this.transactions?.promise().end();
  }

  async #transactionOnce<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    const tx = new Transaction(runner, this.dialect);
    let isCommitting = false;
    try {
      const result = await this.#limited(runner, async () => {
        await begin(runner, this.transactions);
        const value = await (inTransaction ? inTransaction.run(this.source, () => work(tx)) : work(tx));
        tx.isOpen = false;
        isCommitting = true;
        await end(runner, this.dialect, 'COMMIT');
        isCommitting = false;
        return value;
      });
      await runner.release();
      for (const hook of tx.hooks) hook();
      return result;
    } catch (error) {
      tx.isOpen = false;
      // A connection whose transaction nobody could end must not be used for another one.
      if (runner.isTransactionActive)
        await end(runner, this.dialect, 'ROLLBACK').catch(() => destroy(runner));
      await runner.release().catch(() => {});
      throw isCommitting && isDisconnected(error) ? new CommitUnknown(error) : error;
    }
  }

  async #withRunner<T>(use: (runner: QueryRunner) => Promise<T>): Promise<T> {
    this.#refuseInsideTransaction();
    const runner = this.source.createQueryRunner();
    try {
      return await this.#limited(runner, () => use(runner));
    } finally {
      await runner.release().catch(() => {});
    }
  }

  /** mysql2 has no timeout for its pool queue nor for a silent server; a connection that does not answer is destroyed. */
  async #limited<T>(runner: QueryRunner, use: () => Promise<T>): Promise<T> {
    if (this.dialect.name === 'sqlite') return use();
    const work = use();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        destroy(runner);
        work.catch(() => {}).finally(() => destroy(runner)); // it may have waited for a connection, and get one that nobody would give back
        reject(Object.assign(new Error('the database did not answer in time'), { code: 'DATABASE_TIMEOUT' }));
      }, this.statementTimeoutMs);
    });
    work.catch(() => {}); // after a timeout nobody else listens
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** With a second connection a transaction could wait for itself for ever; failing at once names the culprit. */
  #refuseInsideTransaction(): void {
    if (inTransaction?.getStore() === this.source)
      throw new Error('the database was used outside of the transaction that is open in this flow');
  }
}

class Transaction implements Tx {
  isOpen = true;
  readonly hooks: (() => void)[] = [];

  constructor(
    private readonly runner: QueryRunner,
    readonly dialect: Dialect,
  ) {}

  get manager(): EntityManager {
    return this.runner.manager;
  }

  async query<T extends object>(statement: Sql): Promise<T[]> {
    this.#refuseClosed();
    return select<T>(this.runner, this.dialect, statement);
  }

  async execute(statement: Sql): Promise<Executed> {
    this.#refuseClosed();
    return change(this.runner, this.dialect, statement);
  }

  afterCommit(hook: () => void): void {
    this.hooks.push(hook);
  }

  #refuseClosed(): void {
    if (!this.isOpen) throw new Error('the transaction has ended');
  }
}

async function select<T>(runner: QueryRunner, dialect: Dialect, statement: Sql): Promise<T[]> {
  const rendered = render(statement, dialect);
  if (dialect.name === 'mysql') return (await send(runner, rendered)) as T[];
  return (await runner.query(rendered.text, rendered.params as unknown[])) as T[];
}

async function change(runner: QueryRunner, dialect: Dialect, statement: Sql): Promise<Executed> {
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

/** On a connection that commits nothing by itself a transaction begins with its first statement: one round trip less. */
async function begin(runner: QueryRunner, transactions: mysql2.Pool | undefined): Promise<void> {
  if (!transactions) return runner.startTransaction();
  connectionOf(runner).databaseConnection = await connectionFrom(transactions);
  setActive(runner, true); // so that what TypeORM writes through this runner joins in
}

function connectionFrom(pool: mysql2.Pool): Promise<mysql2.PoolConnection> {
  return new Promise((resolve, reject) =>
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
  );
}

async function end(runner: QueryRunner, dialect: Dialect, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  if (dialect.name === 'sqlite')
    return how === 'COMMIT' ? runner.commitTransaction() : runner.rollbackTransaction();
  await send(runner, { text: how, params: [], isStable: false });
  setActive(runner, false);
}

/** The connection that a runner of TypeORM's holds, and gives back when it is released. */
function connectionOf(runner: QueryRunner): { databaseConnection?: mysql2.PoolConnection } {
  return runner as unknown as { databaseConnection?: mysql2.PoolConnection };
}

function destroy(runner: QueryRunner): void {
  connectionOf(runner).databaseConnection?.destroy();
}

function setActive(runner: QueryRunner, isActive: boolean): void {
  (runner as { isTransactionActive: boolean }).isTransactionActive = isActive;
}

/**
 * The driver itself, on the runner's connection: what TypeORM does for each statement (events, a structured result) costs more than mysql2's own
 * part. What comes again is prepared, once for each connection. Its log and its error are TypeORM's, so that whoever reads those sees all.
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

function sqliteSource(file: string): DataSource {
  if (file !== ':memory:') {
    privateFile(file); // SQLite gives its journals the mode of the database
    for (const journal of [`${file}-wal`, `${file}-shm`]) narrowIfThere(journal);
  }
  return new DataSource({
    type: 'better-sqlite3',
    driver: createRequire(import.meta.url)('libsql'),
    database: file,
    entities,
    migrations,
    statementCacheSize: 200,
    prepareDatabase: (connection: { pragma(text: string): unknown }) => {
      connection.pragma('journal_mode = WAL');
      connection.pragma('synchronous = NORMAL'); // survives SIGKILL; a power cut may lose the last commits, never consistency
      connection.pragma('busy_timeout = 0'); // see sqlite.ts: whoever waits, waits without stopping the process
      connection.pragma('foreign_keys = ON');
    },
  });
}

/** TypeORM's pool, for single statements and for the read side, and one of the same options for transactions. */
function mysqlPools(
  url: string,
  poolSize: number,
  serverLimitMs: number | undefined,
): { source: DataSource; transactions: () => mysql2.Pool } {
  let forTransactions: mysql2.Pool | undefined;
  const driver = {
    ...mysql2,
    createPool(options: mysql2.PoolOptions) {
      forTransactions = withSession(mysql2.createPool(options), serverLimitMs, 'SET autocommit=0');
      return withSession(mysql2.createPool(options), serverLimitMs);
    },
  };
  const source = new DataSource({
    type: 'mysql',
    url,
    driver,
    entities,
    migrations,
    timezone: 'Z',
    charset: 'utf8mb4_bin',
    poolSize,
    connectTimeout: 5_000,
    // The server keeps 16,382 prepared statements for all its connections together.
    extra: { enableKeepAlive: true, maxIdle: poolSize, maxPreparedStatements: 100 },
  });
  return { source, transactions: () => forTransactions as mysql2.Pool };
}

/** mysql2 knows no init statement; the pool's own event is the one place that no connection slips past. */
function withSession(pool: mysql2.Pool, serverLimitMs: number | undefined, more?: string): mysql2.Pool {
  pool.on('connection', (connection) => {
    connection.query(
      `SET time_zone='+00:00', innodb_lock_wait_timeout=${LOCK_WAIT_S}, sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'`,
    );
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'); // claims under REPEATABLE READ deadlock on gap locks
    if (more) connection.query(more, (error) => error && connection.destroy());
    // A process that froze, or lost its network, in the middle of a transaction would keep its locks until it is back. MariaDB ends it; MySQL
    // knows no such limit and refuses the statement.
    connection.query(`SET SESSION idle_transaction_timeout=${IDLE_TRANSACTION_S}`, () => {});
    if (serverLimitMs === undefined) return;
    // Each server knows one of them, and refuses the other.
    connection.query(`SET SESSION max_statement_time=${serverLimitMs / 1000}`, () => {});
    connection.query(`SET SESSION max_execution_time=${serverLimitMs}`, () => {});
  });
  return pool;
}
