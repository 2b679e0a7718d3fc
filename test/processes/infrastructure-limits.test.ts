import { describe, expect, it } from 'vitest';
import { sleep } from '../support/load.js';
import { call } from '../support/processes.js';
import { date, useProduction } from '../support/production.js';

/** A database server whose disk is small: one file for all tables, that may grow to so much and no further. */
const small = (maxMb: number) => [
  '--innodb-file-per-table=0',
  `--innodb-data-file-path=ibdata1:12M:autoextend:max:${maxMb}M`,
];

/** A whole production under load, while something is done to what its database may write. */
describe('a database that may not write, under load', { timeout: 300_000 }, () => {
  const production = useProduction();

  it('MariaDB is read-only for a while', async () => {
    await production.begin();
    await production.under(async () => {
      await production.root.query('SET GLOBAL read_only = 1');
      await sleep(3_000);
      const refused = await call<{ code: string }>(`${production.api.url}/v1/orders`, 'POST', {
        sub: 'reader',
        key: 'k',
        body: {
          garden: 'g',
          meals: [{ dishId: '1', sideboardId: '1', edibleDate: date, mealType: 'LUNCH' }],
        },
      });
      expect([refused.status, refused.body.code]).toEqual([503, 'dependency-unavailable']);
      await production.root.query('SET GLOBAL read_only = 0');
    });
    await production.agree();
    for (const lines of production.complaints())
      expect(lines.length, lines.map((line) => line.msg).join(' · ')).toBeLessThanOrEqual(3);
  });

  it('its disk is full until somebody brings a larger one', async () => {
    await production.mariadb.stop('SIGTERM');
    // A first start without limit makes the users and tables; how much they take decides what is "small".
    await production.startDatabase(production.mariadb.port, small(64), 'small');
    await production.begin();
    const filler = await production.connectRoot();
    await filler.query('CREATE DATABASE IF NOT EXISTS filler');
    await filler.query('CREATE TABLE IF NOT EXISTS filler.t (b LONGBLOB)');
    await production.under(async () => {
      let refusal: string | undefined;
      filler.on('error', () => {});
      for (let i = 0; i < 200 && !refusal; i++)
        await filler
          .query("INSERT INTO filler.t VALUES (REPEAT('x', 1000000))")
          .catch((error: { errno?: number; code?: string }) => {
            refusal = String(error.errno ?? error.code ?? 'lost');
          });
      expect(refusal).toBeDefined(); // 1114, the table is full; or the server has died of it
      const before = production.load.counts.placed;
      await sleep(3_000);
      filler.destroy();
      await production.mariadb.stop('SIGKILL');
      await production.startDatabase(production.mariadb.port, small(512), 'small'); // a larger disk
      expect(production.load.counts.placed).toBeGreaterThanOrEqual(before);
    });
    await production.agree();
  });
});
