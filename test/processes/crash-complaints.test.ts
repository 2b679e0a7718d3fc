import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { crashPoints } from '../../src/base/crash-point.js';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { disagreements } from '../support/books.js';
import { databaseKinds, migratedDatabase } from '../support/databases.js';
import { type Child, call, environment, startApi, startScheduler } from '../support/processes.js';

const date = '2031-04-04';

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly reviews: unknown[];
}

describe.each(databaseKinds)('SIGKILL after the kitchen, on %s', (kind) => {
  let sandbox: Sandbox;
  let database: Database;
  let env: Record<string, string>;
  let menu: Awaited<ReturnType<typeof getMenu>>;
  let api: Child & { url: string };
  let scheduler: Child;
  let user = 0;

  beforeAll(async () => {
    sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
    const url = await migratedDatabase(kind);
    database = await Database.open({ url });
    env = {
      ...environment(sandbox.url, url, kind === 'sqlite' ? '' : inject('redisUrl')),
      COMPLAINT_INSPECT_KINDS: 'quality',
    };
    const key = { garden: 'g', date, mealType: 'LUNCH' } as const;
    await putMenu(database, key, {
      corp: 'c',
      cutoffAt: new Date('2031-04-04T02:30:00Z'),
      dishes: [{ meicanDishId: '1', name: 'one', priceInCent: 1500, stock: 100 }],
      sideboards: [{ location: 'L', addressId: 'A', capacity: 100 }],
    });
    menu = await getMenu(database, key);
    [api, scheduler] = await Promise.all([startApi(env), startScheduler(env)]);
  });
  afterAll(async () => {
    await Promise.all([api.stop(), scheduler.stop()]);
    await database.close();
    await sandbox.close();
  });

  const ordered = async (sub: string): Promise<{ id: string; orderNo: string }> => {
    const [dish, sideboard] = [menu.dishes[0]?.id, menu.sideboards[0]?.id];
    const meals = [{ dishId: dish, sideboardId: sideboard, edibleDate: date, mealType: 'LUNCH' }];
    const body = { garden: 'g', meals };
    const placed = await call<{ orders: { id: string; orderNo: string }[] }>(`${api.url}/v1/orders`, 'POST', {
      sub,
      key: 'place',
      body,
    });
    const order = placed.body.orders[0];
    if (!order) throw new Error(JSON.stringify(placed.body));
    const statusOf = async () =>
      (await call<{ status: string }>(`${api.url}/v1/orders/${order.id}`, 'GET', { sub })).body.status;
    await expect.poll(statusOf, { timeout: 30_000 }).toBe('ORDERED');
    return order;
  };
  const complaintOf = async (orderId: string): Promise<Shown[]> =>
    (
      await call<{ data: (Shown & { orderId: string })[] }>(`${api.url}/v1/complaints?limit=100`, 'GET', {
        sub: 'v',
        role: 'viewer',
      })
    ).body.data.filter((one) => one.orderId === orderId);
  const apply = (url: string, sub: string, orderId: string) =>
    call<Shown>(`${url}/v1/orders/${orderId}/complaints`, 'POST', {
      sub,
      key: 'complain',
      body: { kind: 'quality', text: 'cold', wantedInCent: 400 },
    });

  it.each(crashPoints.complain)('complaining, at %s: the same key is one complaint', async (point) => {
    const sub = `cc${++user}`;
    const order = await ordered(sub);
    const dying = await startApi({ ...env, CRASH_AT: point });
    expect((await apply(dying.url, sub, order.id)).status).toBe(0);
    expect(await dying.ended).toBe('SIGKILL');
    expect(await complaintOf(order.id)).toHaveLength(point === 'in-complaint' ? 0 : 1);
    expect((await apply(api.url, sub, order.id)).status).toBe(201);
    expect(await complaintOf(order.id)).toHaveLength(1);
  });

  it.each(crashPoints.review)(
    'at %s of each step: it happened as a whole or not at all, and the next person goes on',
    async (point) => {
      const sub = `cr${++user}`;
      const order = await ordered(sub);
      const { id } = (await apply(api.url, sub, order.id)).body;
      const steps = [
        ['review', 'mia', { verdict: 'accept', note: 'x' }, 'APPLIED', 'ACCEPTED'],
        ['returned', 'mia', {}, 'ACCEPTED', 'RETURNED'],
        ['inspect', 'mia', { ok: true, note: 'x' }, 'RETURNED', 'INSPECTED'],
        ['approve', 'noa', { note: 'x' }, 'INSPECTED', 'APPROVED'],
      ] as const;
      for (const [i, [name, by, body, before, after]] of steps.entries()) {
        const act = (url: string) =>
          call<Shown>(`${url}/v1/complaints/${id}/${name}`, 'POST', { sub: by, role: 'manager', body });
        const dying = await startApi({ ...env, CRASH_AT: point });
        expect((await act(dying.url)).status).toBe(0);
        expect(await dying.ended).toBe('SIGKILL');
        const isDone = point === 'after-review';
        const [kept] = await complaintOf(order.id);
        // The refund may have been made by now.
        expect(isDone ? [after, 'REFUNDED'] : [before]).toContain(kept?.state);
        expect(kept?.reviews).toHaveLength(isDone ? i + 1 : i);
        expect((await act(api.url)).status).toBe(isDone ? 409 : 200);
      }
      await expect
        .poll(async () => (await complaintOf(order.id))[0]?.state, { timeout: 30_000 })
        .toBe('REFUNDED');
      const refunds = sandbox.ledger.books.refunds.filter((one) => one.userId === sub);
      expect(refunds.map(({ outRefundNo, amount }) => [outRefundNo, amount])).toEqual([[`S${id}`, 400]]);
    },
  );

  it.each(crashPoints.fulfil)(
    'at %s: nothing of the request, and the second time each step once',
    async (point) => {
      const order = await ordered(`cf${++user}`);
      const tell = (url: string) =>
        call<{ results: { result: string }[] }>(`${url}/v1/fulfilments`, 'POST', {
          sub: 'cabinets',
          role: 'service',
          body: { updates: [{ orderNo: order.orderNo, state: 'IN_CABINET', at: new Date().toISOString() }] },
        });
      const dying = await startApi({ ...env, CRASH_AT: point });
      expect((await tell(dying.url)).status).toBe(0);
      expect(await dying.ended).toBe('SIGKILL');
      expect((await tell(api.url)).body.results.map(({ result }) => result)).toEqual(['moved']);
      const cards = await database.query(
        sql`SELECT id FROM outbox_event WHERE subject_id = ${order.id} AND type = 'WECOM_CABINET_CARD'`,
      );
      expect(cards).toHaveLength(1);
    },
  );

  it('at the end, the books agree', async () => {
    expect(await disagreements(database, sandbox.ledger.books)).toEqual([]);
  });
});
