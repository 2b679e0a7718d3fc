import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { emptyDatabase } from '../support/databases.js';
import { root } from '../support/processes.js';

/** What another process does with the file: one row, and the last to close it tidies up. */
const write = `const db = new (require('libsql'))(process.argv[1]); db.prepare('INSERT INTO seen VALUES (?)').run(Number(process.argv[2])); db.close();`;

it('a database that is opened a second time in a process keeps its locks: what other processes write is seen', async () => {
  const url = await emptyDatabase('sqlite');
  const first = await Database.open({ url });
  await first.execute(sql`CREATE TABLE seen (n INT)`);
  const second = await Database.open({ url });
  await second.query(sql`SELECT n FROM seen`);
  for (const n of [1, 2, 3]) {
    await first.execute(sql`INSERT INTO seen VALUES (${-n})`);
    const child = spawnSync(process.execPath, ['-e', write, url.slice('sqlite:'.length), String(n)], {
      cwd: root,
      encoding: 'utf8',
    });
    expect([child.status, child.stderr]).toEqual([0, '']);
  }
  const rows = await first.query<{ n: number }>(sql`SELECT n FROM seen ORDER BY n`);
  expect(rows.map(({ n }) => n)).toEqual([-3, -2, -1, 1, 2, 3]);
  await second.close();
  await first.close();
});
