import type mysql2 from 'mysql2';
import type { DataSource, QueryRunner } from 'typeorm';
import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';

/**
 * The members of TypeORM that are outside its documented interface. No other file of this project touches one
 * of them; test/database/internals.test.ts fails when an update of TypeORM changes one.
 */
interface Internals {
  /** MysqlQueryRunner: the connection that the runner holds, and gives back when it is released. */
  databaseConnection?: mysql2.PoolConnection;
  /** Every query runner: whether a statement belongs to a transaction, and how many savepoints deep. */
  isTransactionActive: boolean;
  transactionDepth: number;
  /** BetterSqlite3QueryRunner: its prepared statements. */
  stmtCache: Map<string, unknown>;
}

function internalsOf(runner: QueryRunner): Internals {
  return runner as unknown as Internals;
}

/** From now on the runner uses this connection, and releases it. */
export function lendConnection(runner: QueryRunner, connection: mysql2.PoolConnection): void {
  internalsOf(runner).databaseConnection = connection;
}

/**
 * Closes the connection that the runner holds, if it has one: the server then ends whatever still runs on it.
 */
export function destroyConnection(runner: QueryRunner): void {
  internalsOf(runner).databaseConnection?.destroy();
}

/**
 * Tells the runner that a transaction was begun, or ended, without its own method. While it is active,
 * TypeORM's writes join it, and a nested transaction becomes a savepoint instead of a START TRANSACTION,
 * which would commit ours.
 */
export function setInTransaction(runner: QueryRunner, isActive: boolean): void {
  internalsOf(runner).isTransactionActive = isActive;
  internalsOf(runner).transactionDepth = isActive ? 1 : 0;
}

/** SQLite's prepared statements belong to the one connection, so all runners share them. */
export function shareStatements(runner: QueryRunner, statements: Map<string, unknown>): void {
  internalsOf(runner).stmtCache = statements;
}

/** All query runners of this source, those of its EntityManager too, are made by `create`. */
export function replaceRunners(source: DataSource, create: (mode: 'master' | 'slave') => QueryRunner): void {
  source.driver.createQueryRunner = create;
}

/**
 * TypeORM keeps the expressions of generated columns in a table of its own, `typeorm_metadata`, and would
 * create it with the first migration. The migrations here are hand-written and the database itself knows its
 * expressions: no such table.
 */
export function withoutMetadataTable(source: DataSource): void {
  source.driver.createSchemaBuilder = () => new SchemaBuilder(source);
}

class SchemaBuilder extends RdbmsSchemaBuilder {
  override async createMetadataTableIfNecessary(): Promise<void> {}
}
