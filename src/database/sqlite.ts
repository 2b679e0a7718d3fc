import { Mutex, type MutexInterface, withTimeout } from 'async-mutex';
import type { DataSource, QueryRunner } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';

const LOCK_TIMEOUT_MS = 15_000;
const BUSY_PAUSE_MS = 5;

/**
 * Another process is writing. The driver is synchronous, so SQLite's own busy timeout would stop the whole process while it waits;
 * here only the caller waits.
 */
async function whileBusy<T>(work: () => Promise<T>, mayWait = true): Promise<T> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!mayWait || (error as { code?: string }).code !== 'SQLITE_BUSY' || performance.now() > deadline)
        throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS * (1 + Math.random())));
    }
  }
}

/**
 * TypeORM's SQLite driver gives every caller the same query runner, so that concurrent transactions run into each other and
 * undo each other's writes. Here each caller has a runner of its own and one mutex guards the one connection.
 * Transactions begin IMMEDIATE: a deferred one that upgrades from read to write fails at once when another process writes.
 */
export function serializeSqlite(source: DataSource): void {
  const driver = source.driver as BetterSqlite3Driver;
  const mutex: MutexInterface = withTimeout(
    new Mutex(),
    LOCK_TIMEOUT_MS,
    Object.assign(new Error('sqlite: waited too long for the connection'), { code: 'SQLITE_BUSY' }),
  );
  const statements = new Map<string, unknown>(); // prepared statements belong to the connection, not to a runner

  class SerializedRunner extends BetterSqlite3QueryRunner {
    #held: MutexInterface.Releaser | undefined;

    constructor() {
      super(driver);
      (this as unknown as { stmtCache: Map<string, unknown> }).stmtCache = statements;
    }

    override async query(text: string, params?: never, structured?: never): Promise<never> {
      const statement = text === 'BEGIN TRANSACTION' ? 'BEGIN IMMEDIATE' : text;
      if (this.#held) return super.query(statement, params, structured) as Promise<never>;
      const release = await mutex.acquire();
      try {
        return await whileBusy(() => super.query(statement, params, structured) as Promise<never>);
      } finally {
        release();
      }
    }

    override async startTransaction(): Promise<void> {
      const outermost = this.#held === undefined;
      if (outermost) this.#held = await mutex.acquire();
      try {
        await whileBusy(async () => {
          if (outermost) [this.isTransactionActive, this.transactionDepth] = [false, 0]; // a try that met a busy file has begun nothing
          await super.startTransaction();
        }, outermost);
      } catch (error) {
        if (outermost) {
          this.isTransactionActive = false;
          this.#letGo();
        }
        throw error;
      }
    }

    override async commitTransaction(): Promise<void> {
      await super.commitTransaction();
      if (!this.isTransactionActive) this.#letGo();
    }

    override async rollbackTransaction(): Promise<void> {
      try {
        await super.rollbackTransaction();
      } finally {
        if (!this.isTransactionActive) this.#letGo();
      }
    }

    override async release(): Promise<void> {
      if (this.#held && this.isTransactionActive) await this.rollbackTransaction().catch(() => {});
      this.#letGo();
      await super.release();
    }

    #letGo(): void {
      const release = this.#held;
      this.#held = undefined;
      release?.();
    }
  }
  driver.createQueryRunner = (): QueryRunner => new SerializedRunner() as unknown as QueryRunner;
}
