import mysql2 from 'mysql2';
import { DataSource, type DataSourceOptions, type Table, TableCheck, type TableColumn } from 'typeorm';
import type { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';
import type { Database } from '../../src/database/database.js';
import { raw, sql } from '../../src/database/sql.js';
import { acceptColumnTypes } from '../../src/database/sqlite.js';

/**
 * The statements that TypeORM's schema builder would run to make the database what the entities say; none:
 * they agree.
 */
export async function schemaDifferences(database: Database): Promise<string[]> {
  const source = new DataSource(comparing(database.source.options));
  if (database.dialect.name === 'sqlite') acceptColumnTypes(source);
  await source.initialize();
  if (database.dialect.name === 'sqlite') readSqliteRightly(source);
  const builder = source.driver.createSchemaBuilder() as RdbmsSchemaBuilder;
  const runner = source.createQueryRunner();
  await builder.createMetadataTableIfNecessary(runner);
  await noteExpressions(database, source);
  const { upQueries } = await builder.log();
  await source.destroy();
  return upQueries.map(({ query }) => query);
}

/** TypeORM reads MariaDB's defaults (`NULL` as a word) only when the connection is called by that name. */
function comparing(options: DataSourceOptions): DataSourceOptions {
  return options.type === 'mysql'
    ? ({ ...options, type: 'mariadb', driver: mysql2 } as DataSourceOptions)
    : options;
}

/**
 * TypeORM does not ask the database for the expression of a generated column but a table of its own. It is
 * filled with what the database says, so that a difference shows.
 */
async function noteExpressions(database: Database, source: DataSource): Promise<void> {
  await database.execute(sql`DELETE FROM typeorm_metadata`);
  for (const { tableName, columns } of source.entityMetadatas)
    for (const { databaseName, asExpression } of columns.filter((column) => column.asExpression)) {
      const found = await expressionOf(database, tableName, databaseName);
      const same = plain(found) === plain(String(asExpression));
      await database.execute(sql`
        INSERT INTO typeorm_metadata (type, ${raw('`schema`')}, ${raw('`table`')}, name, value)
        VALUES ('GENERATED_COLUMN', ${raw(database.dialect.name === 'mysql' ? 'DATABASE()' : 'NULL')}, ${tableName}, ${databaseName}, ${same ? String(asExpression) : found})`);
    }
}

async function expressionOf(database: Database, table: string, column: string): Promise<string> {
  if (database.dialect.name === 'mysql') {
    const [row] = await database.query<{ e: string }>(sql`
      SELECT generation_expression AS e FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = ${table} AND column_name = ${column}`);
    return row?.e ?? '';
  }
  const text = await createStatement(database, table);
  return new RegExp(`\\b${column} [^,]*? AS \\((.*?)\\) VIRTUAL`).exec(text)?.[1] ?? '';
}

/** As a database may print it: with other capitals, quotes and brackets. */
export function plain(expression: string): string {
  return expression.toLowerCase().replace(/[`"()\s]/g, '');
}

export async function createStatement(database: Database, table: string): Promise<string> {
  const [row] = await database.query<{ sql: string }>(
    sql`SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ${table}`,
  );
  return row?.sql ?? '';
}

/**
 * TypeORM finds AUTOINCREMENT and constraints in SQLite's own text only where names are quoted as it quotes
 * them, takes `INT` for a type of its own, and gives SQLite no types for instants and 64-bit integers.
 */
function readSqliteRightly(source: DataSource): void {
  const { driver } = source;
  const normalizeType = driver.normalizeType.bind(driver);
  const stored: Record<string, string> = { bigint: 'integer', datetime: 'text', mediumtext: 'text' };
  driver.normalizeType = (column) => stored[String(column.type)] ?? normalizeType(column);
  for (const column of source.entityMetadatas.flatMap(({ columns }) => columns)) {
    if (column.type === 'datetime') Object.assign(column, { precision: undefined }); // SQLite's text has no precision
    if (column.generatedType) column.generatedType = 'VIRTUAL'; // only MariaDB's are stored
  }
  const runner = source.createQueryRunner(); // this driver has one for all
  const getTables = runner.getTables.bind(runner);
  runner.getTables = async (names) => {
    const tables = await getTables(names);
    const texts = (await runner.query('SELECT name, sql FROM sqlite_master')) as {
      name: string;
      sql: string;
    }[];
    for (const table of tables) correct(table, texts.find(({ name }) => name === table.name)?.sql ?? '');
    return tables;
  };
}

function correct(table: Table, text: string): void {
  for (const column of table.columns) correctColumn(column, text.includes('AUTOINCREMENT'));
  table.checks = [...text.matchAll(/CONSTRAINT (\w+) CHECK \((.*?)\)\n/g)].map(
    ([, name = '', expression = '']) => new TableCheck({ name, expression }),
  );
}

function correctColumn(column: TableColumn, isGenerated: boolean): void {
  if (column.type === 'int') column.type = 'integer';
  if (column.isPrimary && isGenerated)
    Object.assign(column, { isGenerated, generationStrategy: 'increment', isNullable: false });
}
