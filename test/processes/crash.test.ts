import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { disagreements, pendingCount } from '../support/books.js';
import { databaseKinds, migratedDatabase } from '../support/databases.js';
import { apiHere, type Part, schedulerHere } from '../support/parts-here.js';
import { call, environment, startApi, startScheduler } from '../support/processes.js';

const date = '2031-04-04';

describe.each(databaseKinds)('SIGKILL on %s', (kind) => {
  let sandbox: Sandbox;
  let database: Database;
  let env: Record<string, string>;
  let api: Part & { url: string };
  let menu: Awaited<ReturnType<typeof getMenu>>;
  let user = 0;

  beforeAll(async () => {
    sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
    const url = await migratedDatabase(kind);
    database = await Database.open({ url });
    env = environment(sandbox.url, url, kind === 'sqlite' ? '' : inject('redisUrl'));
    const key = { garden: 'g', date, mealType: 'LUNCH' } as const;
    await putMenu(database, key, {
      corp: 'c',
      cutoffAt: new Date('2031-04-04T02:30:00Z'),
      dishes: [{ meicanDishId: '1', name: 'one', priceInCent: 1500, stock: 100 }],
      sideboards: [{ location: 'L', addressId: 'A', capacity: 100 }],
    });
    menu = await getMenu(database, key);
    api = await apiHere(env);
  });
  afterAll(async () => {
    await api.stop();
    await database.close();
    await sandbox.close();
  });

  const body = () => ({
    garden: 'g',
    meals: [
      {
        dishId: menu.dishes[0]?.id,
        sideboardId: menu.sideboards[0]?.id,
        edibleDate: date,
        mealType: 'LUNCH',
      },
    ],
  });
  const rest = () => expect.poll(() => pendingCount(database), { timeout: 60_000, interval: 100 }).toBe(0);

  describe('of an API, with others alive', () => {
    let scheduler: Part;
    beforeAll(async () => {
      scheduler = await schedulerHere(env);
    });
    afterAll(() => scheduler.stop());

    it.each([
      'place-after-t1',
      'place-after-pay',
      'place-before-t2',
      'place-after-t2',
      'place-before-answer',
    ])('while placing, at %s: the same key completes the work, and the money moved once', async (point) => {
      const sub = `p${++user}`;
      const dying = await startApi({ ...env, CRASH_AT: point, PAYMENT_WINDOW_MS: '60000' });
      expect((await call(`${dying.url}/v1/orders`, 'POST', { sub, key: 'one', body: body() })).status).toBe(
        0,
      );
      expect(await dying.ended).toBe('SIGKILL');
      // The dead request's claim on its key runs out by the database's clock; the test does not wait for it.
      await database.execute({
        kind: 'sql',
        strings: ["UPDATE idempotency_record SET locked_until = created_at WHERE state = 'running'"],
        values: [],
      });
      await expect
        .poll(
          async () =>
            (
              await call<{ orders: { id: string }[] }>(`${api.url}/v1/orders`, 'POST', {
                sub,
                key: 'one',
                body: body(),
              })
            ).status,
          { timeout: 60_000, interval: 200 },
        )
        .toBe(201);
      await rest();
      expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
      expect(
        sandbox.ledger.books.trades.filter(
          (trade) => trade.userId === sub && trade.status === 'SUCCESS' && trade.refundedAmount === 0,
        ),
      ).toHaveLength(1);
    });

    it.each(['place-after-t1', 'place-after-pay'])(
      'while placing, at %s, and nobody asks again: the guard brings everything home',
      async (point) => {
        const sub = `q${++user}`;
        const dying = await startApi({ ...env, CRASH_AT: point });
        await call(`${dying.url}/v1/orders`, 'POST', { sub, key: 'one', body: body() });
        expect(await dying.ended).toBe('SIGKILL');
        await rest();
        expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
        expect(
          sandbox.ledger.books.trades.filter(
            (trade) => trade.userId === sub && trade.status === 'SUCCESS' && trade.refundedAmount === 0,
          ),
        ).toHaveLength(0);
      },
    );

    it.each([
      'cancel-in-t1',
      'cancel-after-t1',
      'after-claim',
      'after-handle',
      'in-settle',
      'cancel-before-answer',
    ])('while cancelling, at %s: the cancel happens as a whole, or not at all', async (point) => {
      const sub = `c${++user}`;
      const placed = await call<{ orders: { id: string }[] }>(`${api.url}/v1/orders`, 'POST', {
        sub,
        key: 'one',
        body: body(),
      });
      const id = placed.body.orders[0]?.id;
      await rest();
      await scheduler.stop(); // or it may carry out the cancel's events before the request that is to die of them
      const dying = await startApi({ ...env, CRASH_AT: point });
      expect(
        (await call(`${dying.url}/v1/orders/${id}/cancel`, 'POST', { sub, key: 'two', body: {} })).status,
      ).toBe(0);
      expect(await dying.ended).toBe('SIGKILL');
      scheduler = await schedulerHere(env);
      await database.execute({
        kind: 'sql',
        strings: ["UPDATE idempotency_record SET locked_until = created_at WHERE state = 'running'"],
        values: [],
      });
      await expect
        .poll(
          async () =>
            (await call(`${api.url}/v1/orders/${id}/cancel`, 'POST', { sub, key: 'two', body: {} })).status,
          { timeout: 60_000, interval: 200 },
        )
        .toSatisfy((status: number) => status === 200 || status === 202);
      await rest();
      expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
    });
  });

  it('while placing, after the payment, and its repeat is refused: no proof that nothing was paid; the guard decides', async () => {
    const sub = `r${++user}`;
    const dying = await startApi({ ...env, CRASH_AT: 'place-after-pay' });
    await call(`${dying.url}/v1/orders`, 'POST', { sub, key: 'one', body: body() });
    expect(await dying.ended).toBe('SIGKILL');
    await database.execute({
      kind: 'sql',
      strings: ["UPDATE idempotency_record SET locked_until = created_at WHERE state = 'running'"],
      values: [],
    });
    sandbox.faults.add([{ call: 'energy.pay', kind: 'rate-limit', times: 1 }]);
    await expect
      .poll(
        async () => (await call(`${api.url}/v1/orders`, 'POST', { sub, key: 'one', body: body() })).body.code,
        { timeout: 60_000, interval: 200 },
      )
      .toBe('payment-unknown');
    const scheduler = await schedulerHere(env);
    await rest();
    expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
    await scheduler.stop();
  });

  it.each(['after-claim', 'after-handle', 'before-settle', 'in-settle', 'after-settle'])(
    'a scheduler at %s: another one finishes, and Meican cooks once',
    async (point) => {
      const sub = `s${++user}`;
      await call(`${api.url}/v1/orders`, 'POST', { sub, key: 'one', body: body() });
      const dying = await startScheduler({ ...env, CRASH_AT: point }).catch(() => null); // it may die before it says that it runs
      if (dying) expect(await dying.ended).toBe('SIGKILL');
      const scheduler = await schedulerHere(env);
      await rest();
      expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
      expect(
        sandbox.ledger.books.meicanOrders.filter((order) => order.email === `${sub}@example.com`),
      ).toHaveLength(1);
      await scheduler.stop();
    },
  );
});
