import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import type mysql2 from 'mysql2';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { type Clock, systemClock } from '../base/clock.js';
import { mysqlDialect, sqliteDialect } from './dialects.js';
import { CommitUnknown, isDisconnected, isTransient } from './errors.js';
import { destroyConnection } from './internals.js';
import { limited } from './limit.js';
import { beginOn, endOn, openMysql } from './mysql.js';
import type { Executed, Queryable, Tx } from './queryable.js';
import type { Dialect, Sql } from './sql.js';
import { openSqlite } from './sqlite.js';
import { change, readClock, select } from './statement.js';
import { Transaction } from './transaction.js';

export type { Executed, Queryable, Tx } from './queryable.js';

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

const STATEMENT_TIMEOUT_MS = 15_000;
const POOL_SIZE = 10;
const TRANSACTION_TRIES = 5;
/**
 * Which database has a transaction open in this flow: in development and in every test, so that a misuse is
 * found. Not in production, where following each promise costs a tenth of the process's time.
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
    const { url, serverLimitMs, clock = systemClock } = options;
    const { poolSize = POOL_SIZE, statementTimeoutMs = STATEMENT_TIMEOUT_MS } = options;
    if (url.startsWith('sqlite:')) {
      const source = await openSqlite(url.slice('sqlite:'.length));
      return new Database(source, sqliteDialect(clock), statementTimeoutMs, clock);
    }
    const { source, transactions } = await openMysql({ url, poolSize, statementTimeoutMs, serverLimitMs });
    return new Database(source, mysqlDialect, statementTimeoutMs, clock, transactions);
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

  now(): Promise<Date> {
    return readClock(this);
  }

  /**
   * One local transaction (READ COMMITTED; SQLite: IMMEDIATE). On a deadlock, a lock wait timeout or a busy
   * file the whole of `work` runs again, up to 5 times in all: it must change nothing but the database, and
   * calls no vendor. Throws CommitUnknown when the connection was lost during COMMIT: the writes may have
   * been kept. After any other error nothing was kept.
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
        await this.#begin(runner);
        const value = await (inTransaction ? inTransaction.run(this.source, () => work(tx)) : work(tx));
        tx.isOpen = false;
        isCommitting = true;
        await this.#end(runner, 'COMMIT');
        isCommitting = false;
        return value;
      });
      await runner.release();
      for (const hook of tx.hooks) hook();
      return result;
    } catch (error) {
      tx.isOpen = false;
      // A connection whose transaction could not be ended must not serve another transaction.
      if (runner.isTransactionActive)
        await this.#end(runner, 'ROLLBACK').catch(() => destroyConnection(runner));
      await runner.release().catch(() => {});
      throw isCommitting && isDisconnected(error) ? new CommitUnknown(error) : error;
    }
  }

  #begin(runner: QueryRunner): Promise<void> {
    return this.transactions ? beginOn(runner, this.transactions) : runner.startTransaction();
  }

  #end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    if (this.transactions) return endOn(runner, how);
    return how === 'COMMIT' ? runner.commitTransaction() : runner.rollbackTransaction();
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

  #limited<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
    return this.transactions ? limited(runner, this.statementTimeoutMs, work) : work();
  }

  /**
   * With a second connection a transaction could wait for itself for ever; a refusal names the culprit at
   * once.
   */
  #refuseInsideTransaction(): void {
    if (inTransaction?.getStore() === this.source)
      throw new Error('the database was used outside of the transaction that is open in this flow');
  }
}
