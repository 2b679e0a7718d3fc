import { describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { raw, sql } from '../../src/database/sql.js';
import { databaseKinds, emptyDatabase } from '../support/databases.js';
import { createStatement, plain, schemaDifferences } from '../support/schema.js';

async function fresh(kind: (typeof databaseKinds)[number]): Promise<Database> {
  const database = await Database.open({ url: await emptyDatabase(kind) });
  await migrate(database);
  return database;
}

async function namesOf(database: Database): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    database.dialect.name === 'mysql'
      ? sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()`
      : sql`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`,
  );
  return rows.map(({ name }) => name).sort();
}

/** The columns of each index, in order: the schema builder compares them as a set. */
async function indexesOf(database: Database, table: string): Promise<Map<string, string>> {
  const rows = await database.query<{ name: string; col: string }>(
    database.dialect.name === 'mysql'
      ? sql`SELECT index_name AS name, column_name AS col FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ${table} ORDER BY index_name, seq_in_index`
      : sql`SELECT l.name, i.name AS col FROM pragma_index_list(${table}) l, pragma_index_info(l.name) i ORDER BY l.name, i.seqno`,
  );
  const found = new Map<string, string>();
  for (const { name, col } of rows) found.set(name, found.has(name) ? `${found.get(name)},${col}` : col);
  return found;
}

async function checkOf(database: Database, table: string, name: string): Promise<string> {
  if (database.dialect.name === 'sqlite')
    return (
      new RegExp(`CONSTRAINT ${name} CHECK \\((.*)\\)`).exec(await createStatement(database, table))?.[1] ??
      ''
    );
  const [row] = await database.query<{ clause: string }>(
    sql`SELECT check_clause AS clause FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() AND table_name = ${table} AND constraint_name = ${name}`,
  );
  return row?.clause ?? '';
}

describe.each(databaseKinds)('entities and migrated schema (%s)', (kind) => {
  it('the schema builder finds no difference', async () => {
    const database = await fresh(kind);
    expect(await schemaDifferences(database)).toEqual([]);
    await database.close();
  });

  it('every table has an entity', async () => {
    const database = await fresh(kind);
    const described = database.source.entityMetadatas.map(({ tableName }) => tableName);
    expect(await namesOf(database)).toEqual([...described, 'migrations'].sort());
    await database.close();
  });

  it('indexes have their columns in the same order, checks the same conditions', async () => {
    const database = await fresh(kind);
    for (const { tableName, indices, checks } of database.source.entityMetadatas) {
      const found = await indexesOf(database, tableName);
      for (const { name, columns } of indices)
        expect([name, found.get(name)]).toEqual([name, columns.map((c) => c.databaseName).join()]);
      for (const { name, expression } of checks)
        expect(plain(await checkOf(database, tableName, name))).toBe(plain(expression));
    }
    await database.close();
  });

  it.each([
    ['an index', 'DROP INDEX box_order_of_user', ' ON box_order'],
    ['a column', 'ALTER TABLE alert DROP COLUMN build', ''],
    ['another column', 'ALTER TABLE alert ADD COLUMN spare INT NULL', ''],
    ['a table', 'DROP TABLE order_step', ''],
  ])('a difference is seen: %s', async (_what, statement, onTable) => {
    const database = await fresh(kind);
    await database.execute(raw(kind === 'sqlite' ? statement : statement + onTable));
    expect(await schemaDifferences(database)).not.toEqual([]);
    await database.close();
  });

  it('a difference is seen: the expression of a generated column', async () => {
    const database = await fresh(kind);
    await database.execute(
      raw(`DROP INDEX outbox_event_urgent${kind === 'sqlite' ? '' : ' ON outbox_event'}`),
    );
    await database.execute(raw('ALTER TABLE outbox_event DROP COLUMN urgent_at'));
    await database.execute(
      raw(
        `ALTER TABLE outbox_event ADD COLUMN urgent_at ${kind === 'sqlite' ? 'TEXT' : 'DATETIME(3)'} GENERATED ALWAYS AS (CASE WHEN queue_at IS NULL THEN NULL ELSE run_at END) ${kind === 'sqlite' ? 'VIRTUAL' : 'STORED'}`,
      ),
    );
    await database.execute(raw('CREATE INDEX outbox_event_urgent ON outbox_event (urgent_at)'));
    expect((await schemaDifferences(database)).join()).toContain('urgent_at');
    await database.close();
  });
});

describe('what the schema builder does not compare (mariadb)', () => {
  it.each([
    ['a length', 'ALTER TABLE alert MODIFY COLUMN title VARCHAR(100) NOT NULL'],
    ['a default', 'ALTER TABLE box_dish MODIFY COLUMN withdrawn INT NOT NULL DEFAULT 1'],
    ['a null', 'ALTER TABLE box_dish MODIFY COLUMN name VARCHAR(200) NULL'],
  ])('it does compare %s', async (_what, statement) => {
    const database = await fresh('mariadb');
    await database.execute(raw(statement));
    expect(await schemaDifferences(database)).not.toEqual([]);
    await database.close();
  });

  it('collations are those of the entities, and no text has another', async () => {
    const database = await fresh('mariadb');
    const rows = await database.query<{ t: string; c: string; collation: string | null }>(
      sql`SELECT table_name AS t, column_name AS c, collation_name AS collation FROM information_schema.columns WHERE table_schema = DATABASE()`,
    );
    const wrong = database.source.entityMetadatas.flatMap(({ tableName, columns }) =>
      columns
        .map(({ databaseName, collation }) => ({
          at: `${tableName}.${databaseName}`,
          wanted: collation ?? 'utf8mb4_bin',
          found: rows.find(({ t, c }) => t === tableName && c === databaseName)?.collation ?? null,
        }))
        .filter(({ wanted, found }) => found !== null && found !== wanted),
    );
    expect(wrong).toEqual([]);
    await database.close();
  });
});
