import type mysql from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { sleep } from '../support/load.js';
import { useProduction } from '../support/production.js';

/** A whole production under load, while something is done to its database. */
describe('a database that fails under load', { timeout: 300_000 }, () => {
  const production = useProduction();

  it('MariaDB killed and restarted, twice: nothing is lost, and each process says it once an outage', async () => {
    await production.begin();
    await production.under(async () => {
      for (let i = 0; i < 2; i++) {
        await production.mariadb.stop('SIGKILL');
        await sleep(500);
        await production.startDatabase();
        const before = production.load.counts.placed;
        await expect
          .poll(() => production.load.counts.placed, { timeout: 30_000 })
          .toBeGreaterThan(before + 5);
      }
    });
    await production.agree();
    for (const lines of production.complaints())
      expect(lines.length, lines.map((line) => line.msg).join(' · ')).toBeLessThanOrEqual(4);
  });

  it('its connections are cut, one by one', async () => {
    await production.begin();
    await production.under(async () => {
      for (let i = 0; i < 60; i++) {
        const [rows] = await production.root.query<mysql.RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE user = 'lunchbox' ORDER BY RAND() LIMIT 1",
        );
        for (const row of rows) await production.root.query(`KILL ${Number(row.id)}`).catch(() => {});
        await sleep(40);
      }
    });
    await production.agree();
  });

  it('deadlocks and lock waits are provoked', async () => {
    await production.begin();
    const saboteur = await production.connectRoot();
    await saboteur.query('USE faults');
    let deadlocks = 0;
    await production.under(async () => {
      for (let i = 0; i < 25; i++) {
        // The dish first, then the cabinet: the wrong way round.
        await saboteur.query('START TRANSACTION');
        await saboteur
          .query('SELECT id FROM box_dish ORDER BY id FOR UPDATE')
          .then(() => sleep(60))
          .then(() => saboteur.query('UPDATE box_sideboard SET remaining = remaining ORDER BY id'))
          .then(() => saboteur.query('SELECT id FROM outbox_event ORDER BY id DESC LIMIT 20 FOR UPDATE'))
          .then(() => sleep(40))
          .catch(() => {}); // it may be the victim itself
        await saboteur.query('ROLLBACK');
        await sleep(20);
      }
      const [[status]] = await saboteur.query<mysql.RowDataPacket[]>(
        "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'",
      );
      deadlocks = Number(status?.Value);
    });
    await saboteur.end();
    expect(deadlocks).toBeGreaterThan(0);
    await production.agree();
  });
});
