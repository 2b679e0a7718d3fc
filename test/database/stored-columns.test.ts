import { expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate, pendingMigrations, revertLast } from '../../src/database/migrate.js';
import { sql } from '../../src/database/sql.js';
import { emptyDatabase } from '../support/databases.js';
import { recordNote } from '../support/engine.js';

const NAME = 'StoredColumns1764006000000';

/** Indexes that rest on a VIRTUAL column: MariaDB may take them for corrupt after a crash. */
async function unsafeIndexes(database: Database): Promise<string[]> {
  const rows = await database.query<{ name: string }>(sql`
    SELECT s.index_name AS name FROM information_schema.statistics s JOIN information_schema.columns c
      ON c.table_schema = s.table_schema AND c.table_name = s.table_name AND c.column_name = s.column_name
    WHERE s.table_schema = DATABASE() AND c.extra LIKE '%VIRTUAL%' ORDER BY name`);
  return rows.map(({ name }) => name);
}

it('no index of a MariaDB rests on a virtual column; the columns come, go and come again with their values', async () => {
  const database = await Database.open({ url: await emptyDatabase('mariadb') });
  await migrate(database);
  expect(await unsafeIndexes(database)).toEqual([]);
  await recordNote(database, { n: 1, key: 'k' });
  const values = () =>
    database.query(sql`SELECT urgent_at, queued_key, pending_key, cause_status FROM outbox_event`);
  const before = await values();
  expect(before[0]).toMatchObject({ queued_key: expect.any(String), pending_key: expect.any(String) });

  while (!(await pendingMigrations(database)).includes(NAME)) await revertLast(database);
  expect(await unsafeIndexes(database)).toHaveLength(4);
  expect(await values()).toEqual(before);
  await migrate(database);
  expect(await unsafeIndexes(database)).toEqual([]);
  expect(await values()).toEqual(before);
  await database.close();
});
