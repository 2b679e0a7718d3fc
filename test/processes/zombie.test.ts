import { describe, inject, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { consumptionSync } from '../../src/handlers/consumption-sync.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { record } from '../../src/outbox/record.js';
import { migratedDatabase } from '../support/databases.js';
import { call, environment, startApi, startScheduler } from '../support/processes.js';

const date = '2031-07-07';

// Side by side: what takes long is the frozen transaction's ten seconds.
describe.concurrent('a zombie', { timeout: 180_000 }, () => {
  it('a scheduler that froze within a transaction keeps its locks for ten seconds, and no longer', async ({
    expect,
  }) => {
    const sandbox = await Sandbox.start({
      host: '127.0.0.1',
      port: 0,
      legacyMode: false,
      secrets: sandboxSecrets,
    });
    const url = await migratedDatabase('mariadb');
    const database = await Database.open({ url });
    const env = environment(sandbox.url, url, inject('redisUrl'));
    await database.transaction((tx) =>
      record(tx, consumptionSync, {
        recordNo: 'Z1',
        userId: 'z',
        amountInCent: 100,
        canteen: 'A',
        consumedAt: '2031-07-07T04:00:00Z',
      }),
    );
    const frozen = await startScheduler({ ...env, CRASH_AT: 'in-settle', CRASH_SIGNAL: 'SIGSTOP' });
    const row = async () =>
      (
        await database.query<{ status: string; attempt: number }>(
          sql`SELECT status, attempt FROM outbox_event`,
        )
      )[0];
    await expect.poll(() => sandbox.ledger.books.consumptions.length, { timeout: 60_000 }).toBe(1); // told, and about to be settled
    const other = await startScheduler(env);
    const startedMs = performance.now();
    await expect.poll(async () => (await row())?.status, { timeout: 90_000, interval: 100 }).toBe('handled');
    expect((await row())?.attempt).toBeGreaterThan(1);
    expect(performance.now() - startedMs).toBeLessThan(45_000); // ten seconds, and what a busy machine takes; without a limit it would be for ever
    expect(sandbox.ledger.books.consumptions).toHaveLength(1);
    await Promise.all([frozen.stop('SIGKILL'), other.stop('SIGKILL')]);
    await database.close();
    await sandbox.close();
  });

  it('a scheduler that was stopped past its lease wakes up, and writes nothing', async ({ expect }) => {
    const sandbox = await Sandbox.start({
      host: '127.0.0.1',
      port: 0,
      legacyMode: false,
      secrets: sandboxSecrets,
    });
    const url = await migratedDatabase('mariadb');
    const database = await Database.open({ url });
    const env = {
      ...environment(sandbox.url, url, inject('redisUrl')),
      MEICAN_TIMEOUT_MS: '20000',
      LEASE_MS: '1000',
    };
    const api = await startApi(env);
    await putMenu(
      database,
      { garden: 'g', date, mealType: 'LUNCH' },
      {
        corp: 'c',
        cutoffAt: new Date(`${date}T02:30:00Z`),
        dishes: [{ meicanDishId: '100', name: 'dish', priceInCent: 1000, stock: 10 }],
        sideboards: [{ location: 'L', addressId: 'A', capacity: 10 }],
      },
    );
    const menu = await getMenu(database, { garden: 'g', date, mealType: 'LUNCH' });
    sandbox.faults.add([{ call: 'meican.addOrder', kind: 'latency', ms: 1_500, times: 1 }]);
    const zombie = await startScheduler(env);
    const body = {
      garden: 'g',
      meals: [
        {
          dishId: menu.dishes[0]?.id,
          sideboardId: menu.sideboards[0]?.id,
          edibleDate: date,
          mealType: 'LUNCH',
        },
      ],
    };
    expect((await call(`${api.url}/v1/orders`, 'POST', { sub: 'z', key: 'k', body })).status).toBe(201);
    const running = () =>
      database.query<{ claimed_by: string }>(
        sql`SELECT claimed_by FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER' AND lease_until IS NOT NULL`,
      );
    await expect.poll(async () => (await running()).length, { timeout: 60_000, interval: 10 }).toBe(1);
    zombie.process.kill('SIGSTOP'); // in the middle of its call: the vendor does it, and the answer waits in the socket
    const other = await startScheduler(env);
    const event = async () =>
      (
        await database.query<{ status: string; attempt: number }>(
          sql`SELECT status, attempt FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER'`,
        )
      )[0];
    await expect.poll(async () => (await event())?.status, { timeout: 60_000 }).toBe('handled');
    const settled = await event();
    zombie.process.kill('SIGCONT');
    await expect
      .poll(() => zombie.output(), { timeout: 60_000 })
      .toContain('lease lost: nothing was written');
    expect(await event()).toEqual(settled);
    const attempts = await database.query<{ error_code: string | null; outcome: string }>(
      sql`SELECT a.error_code, a.outcome FROM event_attempt a JOIN outbox_event e ON e.id = a.event_id WHERE e.type = 'MEICAN_NEW_V2_ORDER' ORDER BY a.number`,
    );
    expect(attempts[0]).toMatchObject({ error_code: 'interrupted', outcome: 'unknown' });
    expect(attempts.at(-1)).toMatchObject({ error_code: null, outcome: 'applied' });
    expect(sandbox.ledger.books.meicanOrders).toHaveLength(1);
    await Promise.all([api.stop('SIGKILL'), zombie.stop('SIGKILL'), other.stop('SIGKILL')]);
    await database.close();
    await sandbox.close();
  });
});
