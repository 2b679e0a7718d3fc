import { expect, it } from 'vitest';
import { crashPoints } from '../../src/base/crash-point.js';
import { Database } from '../../src/database/database.js';
import { migrate, pendingMigrations, revertLast } from '../../src/database/migrate.js';
import { migrations } from '../../src/database/migrations/index.js';
import { now, sql } from '../../src/database/sql.js';
import { emptyDatabase } from '../support/databases.js';
import { launch, packed } from '../support/processes.js';

const NAME = 'ExactPeople1764004100000';
const COLUMNS = 10;

/** How many ids of people are compared exactly, of which columns, with the nullability of each. */
async function people(database: Database): Promise<{ exact: number; padded: number; nullable: string[] }> {
  const columns = await database.query<{
    table_name: string;
    column_name: string;
    collation: string;
    nullable: string;
  }>(
    sql`SELECT table_name AS table_name, column_name AS column_name, collation_name AS collation, is_nullable AS nullable FROM information_schema.columns
        WHERE table_schema = DATABASE() AND (table_name, column_name) IN (('box_order', 'user_id'), ('box_order', 'operator'), ('canteen_consumption', 'user_id'),
          ('coffee_trade', 'user_id'), ('idempotency_record', 'caller'), ('operator_action', 'actor'), ('alert', 'known_by'), ('console_view', 'actor'),
          ('event_pause', 'actor'), ('event_batch', 'actor'))`,
  );
  return {
    exact: columns.filter((one) => one.collation === 'utf8mb4_nopad_bin').length,
    padded: columns.filter((one) => one.collation === 'utf8mb4_bin').length,
    nullable: columns
      .filter((one) => one.nullable === 'YES')
      .map((one) => `${one.table_name}.${one.column_name}`)
      .sort(),
  };
}

/** Everything after it is undone, so that it is the next to be reverted. */
async function onlyLaterArePending(database: Database): Promise<boolean> {
  const names = migrations.map((migration) => new migration().name);
  const pending = await pendingMigrations(database);
  return names.slice(names.indexOf(NAME) + 1).every((name) => pending.includes(name));
}

it('exact ids of people come, go and come again, whatever is killed half-way, and lose nobody', async () => {
  const url = await emptyDatabase('mariadb');
  const env = { DATABASE_URL: url, RETRY_LIMIT: '3' };
  const run = async (args: string[], nth: number): Promise<number | string> =>
    launch([packed('cli'), 'migrate', ...args], { ...env, CRASH_AT: `${crashPoints.migrate[0]}:${nth}` })
      .ended;
  const database = await Database.open({ url });
  const named = async (actor: string): Promise<number> =>
    (await database.query(sql`SELECT id FROM operator_action WHERE actor = ${actor}`)).length;

  await migrate(database);
  while (!(await pendingMigrations(database)).includes(NAME)) await revertLast(database);
  const nullable = ['alert.known_by', 'box_order.operator'];
  expect(await people(database)).toEqual({ exact: 0, padded: COLUMNS, nullable });
  await database.query(
    sql`INSERT INTO operator_action (at, actor, role, verb, target_type, target_id) VALUES (${now}, 'alice', 'operator', 'requeue', 'event', '1')`,
  );
  expect([await named('alice'), await named('alice '), await named('ALICE')]).toEqual([1, 1, 0]);

  for (const [args, from, to] of [
    [[], 'padded', 'exact'],
    [['--revert'], 'exact', 'padded'],
    [[], 'padded', 'exact'],
  ] as const) {
    if (args.length > 0) while (!(await onlyLaterArePending(database))) await revertLast(database);
    const seen: number[] = [];
    for (const nth of [10, 12, 14]) {
      expect(await run([...args], nth)).toBe('SIGKILL');
      const found = await people(database);
      expect([found[from] + found[to], found.nullable]).toEqual([COLUMNS, nullable]);
      seen.push(found[to]);
    }
    expect(seen.some((count) => count > 0 && count < COLUMNS)).toBe(true);
    if (args.length > 0) await revertLast(database);
    else await migrate(database);
    expect(await people(database)).toMatchObject({ [from]: 0, [to]: COLUMNS, nullable });
    expect([await named('alice'), await named('alice '), await named('ALICE')]).toEqual([
      1,
      to === 'padded' ? 1 : 0,
      0,
    ]);
  }
  expect(await pendingMigrations(database)).toEqual([]);
  await database.close();
}, 120_000);
