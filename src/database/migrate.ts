import { MigrationExecutor, type QueryRunner } from 'typeorm';
import { crashPoint } from '../base/crash-point.js';
import type { Database } from './database.js';
import { unlimited } from './limit.js';

const LOCK_NAME = 'lunchbox_migrate';
const LOCK_WAIT_S = 60;

/**
 * Brings the schema up to date. Any number of processes may call this at once: each migration runs once, the
 * others wait. MySQL commits DDL statement by statement, so migrations are written to be repeatable (IF NOT
 * EXISTS) after a kill half-way. Returns the names of the migrations that this call ran.
 */
export async function migrate(database: Database): Promise<string[]> {
  return locked(database, async (runner) => {
    const done = await executor(database, withCrashPoints(runner)).executePendingMigrations();
    return done.map((migration) => migration.name);
  });
}

/** Undoes the newest migration. Returns when it is undone; throws when there is none. */
export async function revertLast(database: Database): Promise<void> {
  await locked(database, (runner) => executor(database, withCrashPoints(runner)).undoLastMigration());
}

/** Names of the migrations that are still to run. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const pending = await new MigrationExecutor(database.source).getPendingMigrations();
  return pending.map((migration) => migration.name);
}

function executor(database: Database, runner: QueryRunner): MigrationExecutor {
  const executor = new MigrationExecutor(database.source, runner);
  executor.transaction = 'none'; // SQLite: `locked` has opened one around everything; MySQL: DDL knows none
  return executor;
}

function withCrashPoints(runner: QueryRunner): QueryRunner {
  const query = runner.query.bind(runner) as QueryRunner['query'];
  runner.query = async (...statement: Parameters<QueryRunner['query']>) => {
    const result = await query(...statement);
    crashPoint('in-migration');
    return result;
  };
  return runner;
}

async function locked<T>(database: Database, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = unlimited(database.source.createQueryRunner());
  try {
    if (database.dialect.name === 'sqlite') {
      await runner.startTransaction();
      const result = await work(runner);
      await runner.commitTransaction();
      return result;
    }
    const [row] = (await runner.query('SELECT GET_LOCK(?, ?) AS got', [LOCK_NAME, LOCK_WAIT_S])) as {
      got: number | string | null;
    }[];
    if (Number(row?.got) !== 1)
      throw new Error(`another process has been migrating for more than ${LOCK_WAIT_S} s`);
    try {
      return await work(runner);
    } finally {
      await runner.query('SELECT RELEASE_LOCK(?)', [LOCK_NAME]);
    }
  } finally {
    await runner.release(); // rolls back what is still open
  }
}
