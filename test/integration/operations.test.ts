import { readFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { afterEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { raw, sql } from '../../src/database/sql.js';
import { doubtAll } from '../../src/operate/doubt.js';
import { disagreements } from '../support/books.js';
import { migratedDatabase } from '../support/databases.js';
import { Kit } from '../support/kit.js';

const act = { actor: 'op', role: 'operator', reason: 'last night’s backup', requestId: null };

describe('operations', () => {
  const kits: Kit[] = [];
  afterEach(async () => {
    for (const kit of kits.splice(0)) await kit.close();
  });

  it('the audit can be added to and never changed, by the rights that deploy/grants.sql gives; everything else works with them', async () => {
    const url = await migratedDatabase('mariadb');
    const owner = await Database.open({ url });
    await migrate(owner);
    const name = new URL(url).pathname.slice(1);
    const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
    await connection.query(
      `DROP USER IF EXISTS 'lunchbox-rights'@'%'; CREATE USER 'lunchbox-rights'@'%' IDENTIFIED BY 'rights'`,
    );
    const grants = readFileSync(new URL('../../deploy/grants.sql', import.meta.url), 'utf8');
    const [tables] = await connection.query<mysql.RowDataPacket[]>('SHOW TABLES');
    for (const row of tables)
      expect(grants, 'every table is granted').toContain(`lunchbox.${String(Object.values(row)[0])} `);
    await connection.query(
      grants.replaceAll('lunchbox.', `${name}.`).replaceAll("'lunchbox'@", "'lunchbox-rights'@"),
    );
    await connection.end();
    const { host } = new URL(url);
    const kit = await Kit.create('mariadb', {
      DATABASE_URL: `mysql://lunchbox-rights:rights@${host}/${name}`,
    });
    kits.push(kit);
    const menu = await kit.menu();
    const { id } = await kit.parkedRefund(menu, 'grants1');
    expect((await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'x' } })).status).toBe(200);
    await kit.settleAll();
    expect(
      (
        await kit.call('POST', '/v1/pauses', {
          body: { scope: 'target', name: 'meican', minutes: 1, reason: 'x' },
        })
      ).status,
    ).toBe(200);
    const acts = await kit.database.query(sql`SELECT id FROM operator_action`);
    expect(acts.length).toBeGreaterThanOrEqual(2);
    for (const change of [
      sql`UPDATE operator_action SET actor = 'nobody'`,
      sql`DELETE FROM operator_action`,
      sql`TRUNCATE TABLE operator_action`,
      sql`DROP TABLE operator_action`,
    ])
      await expect(kit.database.execute(change)).rejects.toMatchObject({ errno: 1142 });
    expect(await kit.database.query(sql`SELECT id FROM operator_action`)).toEqual(acts);
    await owner.close();
  });

  /** A backup, then everything goes on, then the backup is what there is. */
  async function restored(withDoubt: boolean) {
    // An energy center that does not know a refund by its number: nothing but our asking prevents a second one.
    const kit = await Kit.create('mariadb', { INLINE_BUDGET_MS: '0' }, { legacyMode: true });
    kits.push(kit);
    const menu = await kit.menu();
    const cancelled = await kit.ordered(menu, 'r-cancelled');
    await kit.cancel(cancelled.id, 'r-cancelled');
    const placed = (await kit.order(menu, 'r-placed')).body.orders[0];
    const tables = (
      await kit.database.query<{ t: string }>(
        sql`SELECT table_name AS t FROM information_schema.tables WHERE table_schema = DATABASE()`,
      )
    ).map(({ t }) => t);
    for (const table of tables)
      await kit.database.execute(sql`CREATE TABLE ${raw(`backup_${table}`)} AS SELECT * FROM ${raw(table)}`);
    await kit.settleAll(); // the meal is placed, the points are given back
    expect([kit.mealsAtMeican('r-placed'), kit.balanceOf('r-cancelled')]).toEqual([1, 100_000]);
    for (const table of tables) {
      const columns = await kit.database.query<{ c: string }>(
        sql`SELECT column_name AS c FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ${table} AND generation_expression IS NULL`,
      );
      const list = raw(columns.map(({ c }) => `\`${c}\``).join(', '));
      await kit.database.execute(sql`DELETE FROM ${raw(table)}`);
      await kit.database.execute(
        sql`INSERT INTO ${raw(table)} (${list}) SELECT ${list} FROM ${raw(`backup_${table}`)}`,
      );
      await kit.database.execute(sql`DROP TABLE ${raw(`backup_${table}`)}`);
    }
    if (withDoubt) expect(await doubtAll(kit.database, act)).toBeGreaterThanOrEqual(2);
    await kit.settleAll();
    return { kit, placed };
  }

  it('after a restore: with every pending event in doubt, nothing that was done since the backup is done again', async () => {
    const { kit, placed } = await restored(true);
    expect(kit.mealsAtMeican('r-placed')).toBe(1);
    expect(kit.balanceOf('r-cancelled')).toBe(100_000);
    expect((await kit.read(placed?.id ?? '')).status).toBe('ORDERED');
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('and without that, the points would be given back twice', async () => {
    const { kit } = await restored(false);
    expect(kit.balanceOf('r-cancelled')).toBe(102_300);
  });

  it('raising the retry limit revives nothing that was given up', async () => {
    const kit = await Kit.create('mariadb');
    kits.push(kit);
    const { id } = await kit.parkedRefund(await kit.menu(), 'limit1');
    const later = await Kit.create('mariadb', {
      DATABASE_URL: kit.env.DATABASE_URL ?? '',
      RETRY_LIMIT: '50',
    });
    kits.push(later);
    await later.pass(3);
    expect(
      (await later.call<{ status: string; attempt: number }>('GET', `/v1/events/${id}`)).body,
    ).toMatchObject({ status: 'errored', attempt: 3 });
  });
});
