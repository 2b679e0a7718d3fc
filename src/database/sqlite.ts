import { createRequire } from 'node:module';
import { Mutex, type MutexInterface, withTimeout } from 'async-mutex';
import { DataSource, type QueryRunner } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import { narrowIfThere, privateFile } from '../base/private-files.js';
import { entities } from '../entities/index.js';
import { replaceRunners, setInTransaction, shareStatements, withoutMetadataTable } from './internals.js';
import { migrations } from './migrations/index.js';

const LOCK_TIMEOUT_MS = 15_000;
const BUSY_PAUSE_MS = 5;

/** The driver is libsql: it has better-sqlite3's interface, and needs no install script. */
export async function openSqlite(file: string): Promise<DataSource> {
  if (file !== ':memory:') {
    privateFile(file); // SQLite gives its journals the mode of the database
    for (const journal of [`${file}-wal`, `${file}-shm`]) narrowIfThere(journal);
  }
  const source = new DataSource({
    type: 'better-sqlite3',
    driver: createRequire(import.meta.url)('libsql'),
    database: file,
    entities,
    migrations,
    statementCacheSize: 200,
    prepareDatabase: (connection: { pragma(text: string): unknown }) => {
      connection.pragma('journal_mode = WAL');
      connection.pragma('synchronous = NORMAL'); // survives SIGKILL; a power cut may lose the last commits, never consistency
      connection.pragma('busy_timeout = 0'); // see whileBusy: a caller waits without stopping the process
      connection.pragma('foreign_keys = ON');
    },
  });
  acceptColumnTypes(source);
  await source.initialize();
  serializeSqlite(source);
  withoutMetadataTable(source);
  return source;
}

/** SQLite takes any name for a type; TypeORM's list lacks two that the entities use. */
export function acceptColumnTypes({ driver }: DataSource): void {
  driver.supportedDataTypes.push('char', 'mediumtext');
  driver.withLengthColumnTypes.push('char');
}

/**
 * Another process is writing. The driver is synchronous, so SQLite's own busy timeout would stop the whole
 * process while it waits; here only the caller waits.
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
 * TypeORM's SQLite driver gives every caller the same query runner, so that concurrent transactions run into
 * each other and undo each other's writes. Here each caller has a runner of its own and one mutex guards the
 * one connection. Transactions begin IMMEDIATE: a deferred one that upgrades from read to write fails at once
 * when another process writes.
 */
function serializeSqlite(source: DataSource): void {
  const driver = source.driver as BetterSqlite3Driver;
  const mutex: MutexInterface = withTimeout(
    new Mutex(),
    LOCK_TIMEOUT_MS,
    Object.assign(new Error('sqlite: waited too long for the connection'), { code: 'SQLITE_BUSY' }),
  );
  const statements = new Map<string, unknown>();

  class SerializedRunner extends BetterSqlite3QueryRunner {
    #held: MutexInterface.Releaser | undefined;

    constructor() {
      super(driver);
      shareStatements(this as unknown as QueryRunner, statements);
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
          if (outermost) this.#markEnded(); // a try that met a busy file began no transaction
          await super.startTransaction();
        }, outermost);
      } catch (error) {
        if (outermost) {
          this.#markEnded();
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

    #markEnded(): void {
      setInTransaction(this as unknown as QueryRunner, false);
    }

    #letGo(): void {
      const release = this.#held;
      this.#held = undefined;
      release?.();
    }
  }
  replaceRunners(source, () => new SerializedRunner() as unknown as QueryRunner);
}
