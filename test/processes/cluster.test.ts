import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { disagreements, pendingCount } from '../support/books.js';
import { migratedDatabase } from '../support/databases.js';
import { type Child, call, environment, startApi, startScheduler } from '../support/processes.js';

const ORDERS = 500;
const CANCELS = 200;
const CLIENTS = 20;

let sandbox: Sandbox;
let database: Database;
let apis: (Child & { url: string })[];
let schedulers: Child[];

beforeAll(async () => {
  sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
  const url = await migratedDatabase('mariadb');
  database = await Database.open({ url });
  const env = {
    ...environment(sandbox.url, url, inject('redisUrl')),
    NODE_ENV: 'production',
    MEICAN_TIMEOUT_MS: '5000',
    ENERGY_TIMEOUT_MS: '5000',
    PAYMENT_WINDOW_MS: '60000',
    LEASE_MS: '10000',
  };
  [apis, schedulers] = await Promise.all([
    Promise.all([startApi(env), startApi(env)]),
    Promise.all([startScheduler(env), startScheduler(env), startScheduler(env)]),
  ]);
});
afterAll(async () => {
  await Promise.all([...apis, ...schedulers].map((child) => child.stop('SIGKILL')));
  await database.close();
  await sandbox.close();
});

it('two APIs and three schedulers carry 500 orders and 200 cancels of 20 clients, each effect exactly once', async () => {
  const date = '2031-03-03';
  const key = { garden: 'g', date, mealType: 'LUNCH' } as const;
  await putMenu(database, key, {
    corp: 'c',
    cutoffAt: new Date('2031-03-03T02:30:00Z'),
    dishes: Array.from({ length: 5 }, (_, i) => ({
      meicanDishId: String(100 + i),
      name: `dish ${i}`,
      priceInCent: 1000 + i,
      stock: 120,
    })),
    sideboards: Array.from({ length: 2 }, (_, i) => ({
      location: `L${i}`,
      addressId: `A${i}`,
      capacity: 300,
    })),
  });
  const menu = await getMenu(database, key);
  const cancelled: string[] = [];
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = client; i < ORDERS; i += CLIENTS) {
        const api = apis[i % 2];
        const sub = `diner${i}`;
        const meals = [
          {
            dishId: menu.dishes[i % 5]?.id,
            sideboardId: menu.sideboards[i % 2]?.id,
            edibleDate: date,
            mealType: 'LUNCH',
          },
        ];
        const placed = await call<{ orders: { id: string }[] }>(`${api?.url}/v1/orders`, 'POST', {
          sub,
          key: `o${i}`,
          body: { garden: 'g', meals },
        });
        expect([i, placed.status], JSON.stringify(placed.body)).toEqual([i, 201]);
        const id = placed.body.orders[0]?.id ?? '';
        if (i % 5 >= 2) continue;
        const other = apis[(i + 1) % 2]; // the other process, while the placement may be on its way
        const answer = await call(`${other?.url}/v1/orders/${id}/cancel`, 'POST', {
          sub,
          key: `c${i}`,
          body: {},
        });
        expect([200, 202]).toContain(answer.status);
        cancelled.push(id);
      }
    }),
  );
  expect(cancelled).toHaveLength(CANCELS);
  await expect.poll(() => pendingCount(database), { timeout: 30_000, interval: 200 }).toBe(0);
  expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
  const [counts] = await database.query<{ ordered: unknown; cancelled: unknown; numbers: unknown }>(sql`
    SELECT SUM(status = 'ORDERED') AS ordered, SUM(status = 'USER_CANCEL') AS cancelled, COUNT(DISTINCT order_no) AS numbers FROM box_order`);
  expect([Number(counts?.ordered), Number(counts?.cancelled), Number(counts?.numbers)]).toEqual([
    ORDERS - CANCELS,
    CANCELS,
    ORDERS,
  ]);
  // Each vendor effect exactly once, by the vendors' own records.
  expect(sandbox.ledger.books.trades.filter((trade) => trade.status === 'SUCCESS')).toHaveLength(ORDERS);
  expect(sandbox.ledger.books.refunds).toHaveLength(CANCELS);
  expect(sandbox.requests.filter((request) => request.call === 'energy.unPay')).toHaveLength(CANCELS);
  const meals = sandbox.requests.filter((request) => request.call === 'meican.addOrder').length;
  expect(sandbox.ledger.books.meicanOrders).toHaveLength(meals);
  expect(sandbox.ledger.books.meicanOrders.filter((order) => !order.cancelled)).toHaveLength(
    ORDERS - CANCELS,
  );
  expect(await database.query(sql`SELECT id FROM outbox_event WHERE status = 'errored'`)).toHaveLength(0);
}, 120_000);

it('SIGTERM drains and exits 0', async () => {
  const codes = await Promise.all([...apis, ...schedulers].map((child) => child.stop('SIGTERM')));
  expect(codes).toEqual([0, 0, 0, 0, 0]);
  expect(apis[0]?.output()).toContain('"stopped"');
});
