import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { problems } from '../../src/base/problems.js';
import { sql } from '../../src/database/sql.js';
import { signToken } from '../../src/http/auth.js';
import { databaseKinds } from '../support/databases.js';
import { garden, Kit, tomorrow } from '../support/kit.js';

describe.each(databaseKinds)('the API on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `a${++user}`;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  const rows = async (): Promise<number[]> => {
    const counts: number[] = [];
    for (const table of ['box_order', 'outbox_event', 'idempotency_record', 'operator_action'])
      counts.push(
        (await kit.database.query({ kind: 'sql', strings: [`SELECT 1 FROM ${table}`], values: [] })).length,
      );
    return counts;
  };

  describe('who may call', () => {
    const inject = (method: 'GET' | 'POST' | 'PUT', url: string, authorization?: string) =>
      kit.app.inject({ method, url, headers: authorization ? { authorization } : {} });

    it('without a token, with a forged, an expired or a foreign one: 401 problem+json', async () => {
      const forged = await signToken('another-secret-than-ours-of-32-bytes-and-more', {
        sub: 'u',
        role: 'operator',
        ttlS: 60,
      });
      const expired = await signToken('a-secret-of-the-tests-alone-32-bytes-and-more', {
        sub: 'u',
        role: 'operator',
        ttlS: -60,
      });
      const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"u","role":"operator"}').toString('base64url')}.x`;
      for (const authorization of [
        undefined,
        'Bearer nonsense',
        `Bearer ${forged}`,
        `Bearer ${expired}`,
        `Bearer ${none}`,
        'Basic dTpw',
      ]) {
        const response = await inject('GET', '/v1/orders', authorization);
        expect(response.statusCode).toBe(401);
        expect(response.headers['content-type']).toContain('application/problem+json');
        expect(response.json()).toMatchObject({
          status: 401,
          code: 'unauthorized',
          retryable: false,
          instance: '/v1/orders',
        });
      }
    });

    it('every route but the two of health needs a token', async () => {
      const routes = kit.app
        .printRoutes({ commonPrefix: false })
        .split('\n')
        .map((line) => /(\/\S*) \(([A-Z, ]+)\)/.exec(line))
        .filter((match) => match !== null);
      expect(routes.length).toBeGreaterThan(3);
      for (const url of [
        '/v1/orders',
        '/v1/orders/1',
        '/v1/orders/1/timeline',
        '/v1/events',
        '/v1/events/1',
        `/v1/menus/${garden}/${tomorrow}/LUNCH`,
        '/metrics',
        '/openapi.json',
        '/docs',
        '/docs/json',
        '/nothing',
      ])
        expect([url, (await inject('GET', url)).statusCode]).toEqual([url, 401]);
      for (const url of ['/livez', '/readyz']) expect((await inject('GET', url)).statusCode).toBe(200);
    });

    it.each([
      ['viewer', 'POST', '/v1/orders', 403],
      ['viewer', 'POST', '/v1/orders/1/cancel', 403],
      ['viewer', 'POST', '/v1/events/1/requeue', 403],
      ['user', 'GET', '/v1/events', 403],
      ['user', 'POST', '/v1/events/1/discard', 403],
      ['user', 'POST', '/v1/canteen-consumptions', 403],
      ['user', 'GET', '/v1/orders/1/timeline', 403],
      ['service', 'PUT', `/v1/menus/${garden}/${tomorrow}/LUNCH`, 403],
      ['user', 'PUT', `/v1/menus/${garden}/${tomorrow}/LUNCH`, 403],
    ] as const)('%s may not %s %s', async (role, method, url, status) => {
      const bodies: Record<string, unknown> = {
        '/v1/orders': kit.orderBody(menu),
        '/v1/canteen-consumptions': {
          recordNo: 'Z',
          userId: 'u',
          amountInCent: 1,
          canteen: 'A',
          consumedAt: '2026-11-23T12:00:00Z',
        },
        [`/v1/menus/${garden}/${tomorrow}/LUNCH`]: {
          corp: 'c',
          cutoffAt: '2026-11-23T12:00:00Z',
          dishes: [{ meicanDishId: '1', name: 'x', priceInCent: 1, stock: 1 }],
          sideboards: [{ location: 'x', addressId: 'x', capacity: 1 }],
        },
      };
      const before = await rows();
      const answer = await kit.call(method, url, {
        as: 'someone',
        role,
        ...(method === 'GET' ? {} : { body: bodies[url] ?? { reason: 'x' } }),
      });
      expect([answer.status, answer.body.code]).toEqual([status, 'forbidden']);
      expect(await rows()).toEqual(before);
    });

    it('a foreign order does not exist for a user, and is cancelled by nobody else', async () => {
      const sub = someone();
      const order = await kit.ordered(menu, sub);
      expect((await kit.call('GET', `/v1/orders/${order.id}`, { as: 'thief' })).body.code).toBe('not-found');
      expect((await kit.cancel(order.id, 'thief')).body.code).toBe('not-found');
      expect((await kit.call('GET', `/v1/orders?userId=${sub}`, { as: 'thief' })).status).toBe(403);
      const own = await kit.call<{ data: unknown[] }>('GET', '/v1/orders', { as: 'thief' });
      expect(own.body.data).toEqual([]);
      expect((await kit.read(order.id)).status).toBe('ORDERED');
    });

    it('a service orders for others; a user only for oneself; without an e-mail nobody', async () => {
      const sub = someone();
      const body = { ...kit.orderBody(menu), userId: sub, email: `${sub}@example.com` };
      expect((await kit.call('POST', '/v1/orders', { as: 'gate', role: 'service', body })).status).toBe(201);
      expect((await kit.call('POST', '/v1/orders', { as: 'thief', body })).status).toBe(403);
      const { email: _email, ...without } = body;
      expect(
        (
          await kit.call('POST', '/v1/orders', {
            as: 'gate',
            role: 'service',
            body: { ...without, userId: someone() },
          })
        ).body,
      ).toMatchObject({
        code: 'validation',
        errors: [{ path: 'body.email' }],
      });
    });

    it('a service never orders for itself, whatever its token says: it names whose meal it is, and which e-mail', async () => {
      const { meals } = kit.orderBody(menu);
      const before = await rows();
      for (const [more, path] of [
        [{}, 'body.userId'],
        [{ email: 'gate@example.com' }, 'body.userId'],
        [{ userId: 'gate' }, 'body.email'],
      ] as const)
        expect(
          await kit.call('POST', '/v1/orders', {
            as: 'gate',
            role: 'service',
            body: { garden, meals, ...more },
          }),
        ).toMatchObject({
          status: 400,
          body: { code: 'validation', errors: [{ path }] },
        });
      expect(await rows()).toEqual(before);
    });

    it('a way to pay that is not configured is refused by its name, and takes no points', async () => {
      const before = await rows();
      for (const type of ['wechat', 'alipay', 'POINTS', null])
        expect(
          await kit.call('POST', '/v1/orders', {
            as: someone(),
            body: { ...kit.orderBody(menu), payment: { type } },
          }),
        ).toMatchObject({
          status: 400,
          body: { code: 'validation', errors: [{ path: 'body.payment.type' }] },
        });
      expect(await rows()).toEqual(before);
      expect(
        (
          await kit.call('POST', '/v1/orders', {
            as: someone(),
            body: { ...kit.orderBody(menu), payment: { type: 'points' } },
          })
        ).status,
      ).toBe(201);
    });

    it('the word Bearer may be written in any case', async () => {
      const token = await kit.token('u');
      for (const word of ['bearer', 'BEARER', 'Bearer '])
        expect((await inject('GET', '/v1/orders', `${word} ${token}`)).statusCode).toBe(200);
    });
  });

  describe('bad input', () => {
    const meals = (change: Record<string, unknown>) => ({
      garden,
      meals: [{ ...kit.orderBody(menu).meals[0], ...change }],
    });

    it.each([
      ['an unknown garden', () => ({ ...meals({}), garden: 'nowhere' }), 404, 'not-found'],
      ['a closed day', () => meals({ edibleDate: '2030-01-01' }), 400, 'validation'],
      ['another meal than the dish’s', () => meals({ mealType: 'DINNER' }), 400, 'validation'],
      ['an unknown dish', () => meals({ dishId: '999999' }), 404, 'not-found'],
      [
        'an unknown dish on a day without menu',
        () => meals({ dishId: '999999', edibleDate: '2030-01-01' }),
        404,
        'not-found',
      ],
      ['an unknown sideboard', () => meals({ sideboardId: '999999' }), 404, 'not-found'],
      ['two boxes', () => meals({ count: 2 }), 400, 'validation'],
      ['no box', () => meals({ count: 0 }), 400, 'validation'],
      ['a day that is none', () => meals({ edibleDate: '2026-02-30' }), 400, 'validation'],
      ['an id that is none', () => meals({ dishId: '1 OR 1=1' }), 400, 'validation'],
      ['an id as a number', () => meals({ dishId: 1 }), 400, 'validation'],
      ['an object as id', () => meals({ dishId: { $gt: 0 } }), 400, 'validation'],
      ['an id of a million digits', () => meals({ dishId: '9'.repeat(200_000) }), 400, 'validation'],
      ['no meals', () => ({ garden, meals: [] }), 400, 'validation'],
      [
        'the same meal twice',
        () => ({ garden, meals: [kit.orderBody(menu).meals[0], kit.orderBody(menu).meals[0]] }),
        400,
        'validation',
      ],
      ['null', () => null, 400, 'validation'],
      ['a list', () => [], 400, 'validation'],
    ])('%s is refused, and nothing is written', async (_what, body, status, code) => {
      const [before, stock] = [await rows(), await kit.stockOf(menu)];
      const answer = await kit.call('POST', '/v1/orders', { as: someone(), body: body() });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(await kit.stockOf(menu)).toEqual(stock);
      const [orders, events] = await rows(); // a refusal by the use case is kept for its key; nothing else is
      expect([orders, events]).toEqual(before.slice(0, 2));
    });

    it('a sideboard of another meal', async () => {
      const dinner = await kit.menu({ mealType: 'DINNER', stock: 5, capacity: 5 });
      expect(
        (
          await kit.call('POST', '/v1/orders', {
            as: someone(),
            body: meals({ sideboardId: dinner.sideboard.id }),
          })
        ).body,
      ).toMatchObject({
        code: 'validation',
        errors: [{ path: 'meals.0.sideboardId' }],
      });
    });

    it('after the cut-off', async () => {
      const late = await kit.menu({ mealType: 'BREAKFAST', cutoffAt: new Date(Date.now() - 1000) });
      expect((await kit.order(late, someone())).body.code).toBe('cutoff-passed');
    });

    it('broken JSON, wrong type, too large, unknown route: problem+json each', async () => {
      const authorization = `Bearer ${await kit.token('u')}`;
      const post = (payload: string, type = 'application/json') =>
        kit.app.inject({
          method: 'POST',
          url: '/v1/orders',
          headers: { authorization, 'content-type': type, 'idempotency-key': 'k' },
          payload,
        });
      const seen = [
        await post('{"garden":'),
        await post('x=1', 'application/x-www-form-urlencoded'),
        await post(`{"garden":"${'x'.repeat(300_000)}"}`),
        await kit.app.inject({ method: 'GET', url: '/v1/nothing', headers: { authorization } }),
        await post('{"__proto__":{"role":"operator"}}'),
      ];
      expect(seen.map((response) => [response.statusCode, response.json().code])).toEqual([
        [400, 'validation'],
        [415, 'unsupported-media-type'],
        [413, 'payload-too-large'],
        [404, 'not-found'],
        [400, 'validation'],
      ]);
      for (const response of seen) {
        expect(response.headers['content-type']).toContain('application/problem+json');
        expect(Object.keys(response.json())).toEqual(
          expect.arrayContaining(['type', 'title', 'status', 'instance', 'code', 'requestId', 'retryable']),
        );
        expect(response.body).not.toMatch(/at .*\.(ts|js):|SELECT|INSERT/);
      }
    });

    it.each([
      '/v1/orders/abc',
      `/v1/orders/${'9'.repeat(100)}`,
      `/v1/orders/${'9'.repeat(5000)}`,
      '/v1/orders/9999999999999999999',
      "/v1/orders/1'--",
      '/v1/orders?cursor=nonsense',
      '/v1/orders?limit=101',
      '/v1/orders?limit=x',
      '/v1/orders?status=GONE',
      '/v1/events/0',
      '/v1/events?status=x',
    ])('GET %s is a 4xx', async (url) => {
      const answer = await kit.call('GET', url);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(problems).toHaveProperty(String(answer.body.code));
    });
  });

  describe('Idempotency-Key', () => {
    it('missing, empty, too long or unprintable: 400', async () => {
      for (const key of [null, '', '""', 'x'.repeat(256), 'ä']) {
        const answer = await kit.call('POST', '/v1/orders', {
          as: someone(),
          body: kit.orderBody(menu),
          key,
        });
        expect(answer.body.code).toBe('idempotency-key-missing');
      }
      expect(
        (await kit.call('POST', '/v1/orders/1/cancel', { as: someone(), body: {}, key: null })).body.code,
      ).toBe('idempotency-key-missing');
    });

    it('the same key and body: the same answer, marked as replayed; quoted or bare', async () => {
      const sub = someone();
      const first = await kit.order(menu, sub, 'once');
      const second = await kit.order(menu, sub, '"once"');
      expect(second.status).toBe(201);
      expect(second.body).toEqual(first.body);
      expect([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']]).toEqual([
        undefined,
        'true',
      ]);
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    });

    it('another body: 422; another caller: another request', async () => {
      const [one, two] = [someone(), someone()];
      await kit.order(menu, one, 'shared');
      const dinner = await kit.menu({ mealType: 'DINNER', stock: 50, capacity: 50 });
      const reused = await kit.order(dinner, one, 'shared');
      expect([reused.status, reused.body.code]).toEqual([422, 'idempotency-key-reused']);
      expect((await kit.order(menu, two, 'shared')).status).toBe(201);
    });

    it('a hundred at once: one order, consistent answers', async () => {
      const sub = someone();
      const answers = await Promise.all(Array.from({ length: 100 }, () => kit.order(menu, sub, 'storm')));
      const ids = new Set(
        answers.filter((answer) => answer.status === 201).map((answer) => answer.body.orders[0]?.id),
      );
      expect(ids.size).toBe(1);
      for (const answer of answers.filter((one) => one.status !== 201)) {
        expect(['idempotency-in-progress', 'order-busy']).toContain(answer.body.code);
        expect(answer.headers['retry-after']).toBe('1');
      }
      expect((await kit.order(menu, sub, 'storm')).status).toBe(201);
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    });

    it('a refusal is an answer, too', async () => {
      const sub = `poor-${someone()}`;
      const first = await kit.order(menu, sub, 'poor');
      kit.sandbox.ledger.put('accounts', { userId: sub, balance: 100_000 });
      const second = await kit.order(menu, sub, 'poor');
      expect([first.body.code, second.body.code, second.headers['idempotent-replayed']]).toEqual([
        'insufficient-energy',
        'insufficient-energy',
        'true',
      ]);
      expect(second.headers['content-type']).toContain('application/problem+json');
    });

    it('a 5xx is never replayed: the same key starts afresh', async () => {
      const sub = someone();
      kit.fault({ call: 'energy.pay', kind: 'reset-after', times: 1 });
      expect((await kit.order(menu, sub, 'again')).status).toBe(503);
      expect((await kit.order(menu, sub, 'again')).status).toBe(201);
      await kit.settleAll();
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    });

    it('keys are kept seven days, and then forgotten', async () => {
      const sub = someone();
      const placed = await kit.order(menu, sub, 'old');
      await kit.database.execute(
        sql`UPDATE idempotency_record SET created_at = ${new Date(Date.now() - 7 * 86_400_000 + 60_000)} WHERE caller = ${sub}`,
      );
      expect((await kit.order(menu, sub, 'old')).body).toEqual(placed.body);
      await kit.database.execute(
        sql`UPDATE idempotency_record SET created_at = ${new Date(Date.now() - 7 * 86_400_000 - 60_000)} WHERE caller = ${sub}`,
      );
      expect((await kit.order(menu, sub, 'old')).body.code).toBe('already-ordered');
    });

    it('a request that died between T1 and its payment is completed by the same key', async () => {
      const sub = someone();
      kit.fault({ call: 'energy.pay', kind: 'latency', ms: 500, times: 1 });
      const dying = kit.order(menu, sub, 'crash');
      await expect
        .poll(() => kit.sandbox.requests.some((request) => request.body.includes(`"${sub}"`)))
        .toBe(true);
      // As a crash leaves it: the record is running, its lock has run out; the dead request can write nothing under it.
      await kit.database.execute(
        sql`UPDATE idempotency_record SET locked_until = created_at WHERE caller = ${sub}`,
      );
      await expect
        .poll(() => kit.order(menu, sub, 'crash'), { timeout: 5_000 })
        .toMatchObject({ status: 201 });
      await dying;
      await kit.settleAll();
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
      expect(kit.mealsAtMeican(sub)).toBe(1);
    });
  });

  describe('lists', () => {
    it('page by cursor, newest first, and never repeat or skip while rows are added', async () => {
      const sub = `pager-${someone()}`;
      const gate = { as: 'gate', role: 'service' as const };
      for (let i = 0; i < 7; i++)
        await kit.call('POST', '/v1/orders', {
          ...gate,
          body: { ...kit.orderBody(menu), userId: `${sub}-${i}`, email: `${sub}-${i}@example.com` },
        });
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await kit.call<{ data: { id: string }[]; nextCursor: string | null }>(
          'GET',
          `/v1/orders?limit=3${cursor ? `&cursor=${cursor}` : ''}`,
          gate,
        );
        seen.push(...page.body.data.map((order) => order.id));
        cursor = page.body.nextCursor ?? '';
        await kit.call('POST', '/v1/orders', {
          ...gate,
          body: {
            ...kit.orderBody(menu),
            userId: `${sub}-x${seen.length}`,
            email: `${sub}-x${seen.length}@example.com`,
          },
        });
      } while (cursor);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual([...seen].sort((a, b) => Number(b) - Number(a)));
    });

    it('filter by status and day', async () => {
      const sub = someone();
      const order = await kit.ordered(menu, sub);
      const found = await kit.call<{ data: { id: string }[] }>(
        'GET',
        `/v1/orders?userId=${sub}&status=ORDERED&edibleDate=${tomorrow}`,
      );
      expect(found.body.data.map((one) => one.id)).toEqual([order.id]);
      expect(
        (await kit.call<{ data: unknown[] }>('GET', `/v1/orders?userId=${sub}&status=USER_CANCEL`)).body.data,
      ).toEqual([]);
    });
  });

  describe('menus', () => {
    it('PUT is repeatable: what is sold stays sold, what is left out is withdrawn, too small a total is refused', async () => {
      const date = '2031-05-05';
      const url = `/v1/menus/${garden}/${date}/LUNCH`;
      const body = {
        corp: 'c',
        cutoffAt: '2031-05-05T10:30:00+08:00',
        dishes: [
          { meicanDishId: '1', name: 'one', priceInCent: 100, stock: 5 },
          { meicanDishId: '2', name: 'two', priceInCent: 100, stock: 5 },
        ],
        sideboards: [{ location: 'L', addressId: 'A', capacity: 5 }],
      };
      const first = await kit.call<{
        cutoffAt: string;
        dishes: { id: string; remaining: number }[];
        sideboards: { id: string }[];
      }>('PUT', url, { body });
      expect(first.status).toBe(200);
      expect(first.body.cutoffAt).toBe('2031-05-05T10:30:00.000+08:00');
      expect((await kit.call('PUT', url, { body })).body).toEqual(first.body);
      const meals = [
        {
          dishId: first.body.dishes[0]?.id,
          sideboardId: first.body.sideboards[0]?.id,
          edibleDate: date,
          mealType: 'LUNCH',
        },
      ];
      expect((await kit.call('POST', '/v1/orders', { as: someone(), body: { garden, meals } })).status).toBe(
        201,
      );
      const grown = await kit.call<{ dishes: { stock: number; remaining: number }[] }>('PUT', url, {
        body: { ...body, dishes: [{ ...body.dishes[0], stock: 9 }] },
      });
      expect(grown.body.dishes).toMatchObject([{ stock: 9, remaining: 8 }]);
      const shrunk = await kit.call('PUT', url, {
        body: { ...body, dishes: [{ ...body.dishes[0], stock: 0 }] },
      });
      expect([shrunk.status, shrunk.body.code]).toEqual([400, 'validation']);
      const withdrawn = [{ ...meals[0], dishId: first.body.dishes[1]?.id }];
      expect(
        (await kit.call('POST', '/v1/orders', { as: someone(), body: { garden, meals: withdrawn } })).body
          .code,
      ).toBe('not-found');
    });

    it('GET of what is not there is 404', async () => {
      expect((await kit.call('GET', '/v1/menus/nowhere/2030-01-01/LUNCH')).body.code).toBe('not-found');
    });
  });

  describe('consumptions and coffee', () => {
    it('a consumption: 201 SYNCED, again 200 the same, another body 409, its event visible', async () => {
      const body = {
        recordNo: `Z-${someone()}`,
        userId: 'till',
        amountInCent: 1200,
        canteen: 'A1',
        consumedAt: '2026-11-23T12:00:00+08:00',
      };
      const gate = { as: 'gate', role: 'service' as const };
      const first = await kit.call<{ status: string; events: { id: string }[] }>(
        'POST',
        '/v1/canteen-consumptions',
        { ...gate, body },
      );
      expect([first.status, first.body.status]).toEqual([201, 'SYNCED']);
      const again = await kit.call('POST', '/v1/canteen-consumptions', { ...gate, body });
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(
        (await kit.call('POST', '/v1/canteen-consumptions', { ...gate, body: { ...body, amountInCent: 1 } }))
          .status,
      ).toBe(409);
      expect((await kit.call('GET', `/v1/events/${first.body.events[0]?.id}`)).body).toMatchObject({
        type: 'ZHIPAN_SYNC_ERROR',
        status: 'handled',
        orderId: null,
      });
      expect(
        kit.sandbox.ledger.books.consumptions.filter((one) => one.recordNo === body.recordNo),
      ).toHaveLength(1);
    });

    it('a coffee is refunded once, under however many keys', async () => {
      const sub = someone();
      const body = { userId: sub, amountInCent: 900, outTradeNo: await kit.coffee(sub), reason: 'empty' };
      const gate = { as: 'gate', role: 'service' as const };
      const answers = await Promise.all(
        Array.from({ length: 5 }, () =>
          kit.call('POST', `/v1/coffee-trades/C-${sub}/refund`, { ...gate, body }),
        ),
      );
      expect(answers.every((answer) => [200, 202].includes(answer.status))).toBe(true);
      expect(
        kit.sandbox.ledger.books.refunds
          .filter((refund) => refund.userId === sub)
          .map((refund) => refund.outRefundNo),
      ).toEqual([`RCC-${sub}`]);
      expect(
        (
          await kit.call('POST', `/v1/coffee-trades/C-${sub}/refund`, {
            ...gate,
            body: { ...body, amountInCent: 901 },
          })
        ).body.code,
      ).toBe('conflict');
    });
  });

  it('an order’s timeline tells its whole story, oldest first', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    await kit.cancel(order.id, sub);
    const story = await kit.call<{
      timeline: { at: string; kind: string; what: string; detail: { exchanges?: { call: string }[] } }[];
    }>('GET', `/v1/orders/${order.id}/timeline`, { as: 'eye', role: 'viewer' });
    const what = story.body.timeline.map((entry) => entry.what);
    for (const expected of [
      'placed',
      'paid',
      'ordered',
      'cancelled',
      'refunded',
      'meican-cancelled',
      'MEICAN_NEW_V2_ORDER',
    ])
      expect(what).toContain(expected);
    expect(story.body.timeline.map((entry) => entry.at)).toEqual(
      story.body.timeline.map((entry) => entry.at).sort(),
    );
    expect(
      story.body.timeline.flatMap((entry) => entry.detail.exchanges ?? []).map((exchange) => exchange.call),
    ).toEqual(expect.arrayContaining(['meican.addOrder', 'energy.unPay', 'meican.cancelOrder']));
    expect(JSON.stringify(story.body)).not.toContain(`${sub}@example.com`);
    expect(JSON.stringify(story.body)).not.toContain('Name of');
  });

  it('a request id is taken or made, echoed, kept with the event and sent to the vendors with the trace', async () => {
    const sub = someone();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await kit.call<{ orders: { id: string }[] }>('POST', '/v1/orders', {
      as: sub,
      body: kit.orderBody(menu),
      headers: { 'x-request-id': `req-${sub}-12345`, traceparent },
    });
    expect(answer.headers['x-request-id']).toBe(`req-${sub}-12345`);
    await kit.runDue();
    const sent = kit.sandbox.requests.filter((request) => request.requestId === `req-${sub}-12345`);
    expect(sent.map((request) => request.call).sort()).toEqual(['energy.pay', 'meican.addOrder']);
    expect(
      sent.every((request) => request.traceparent?.startsWith('00-0af7651916cd43dd8448eb211c80319c-')),
    ).toBe(true);
    const made = await kit.call('GET', '/v1/orders', { headers: { 'x-request-id': 'no spaces allowed' } });
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what the API says of itself', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create('sqlite');
  });
  afterAll(() => kit.close());

  it('openapi.json is 3.1, and the committed one is up to date', async () => {
    const served = (await kit.call('GET', '/openapi.json')).body;
    expect(served.openapi).toBe('3.1.0');
    expect(Object.keys(served.paths as object)).toContain('/v1/orders/{id}/cancel');
    const committed = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(served)));
    expect(readFileSync(new URL('../../src/dev/client/schema.ts', import.meta.url), 'utf8')).toContain(
      createHash('sha256').update(committed).digest('hex'),
    ); // the client's types are of this one
  });

  it('too many requests: 429 with Retry-After', async () => {
    const limited = await Kit.create('sqlite', { RATE_LIMIT_USER_PER_MINUTE: '3' });
    for (let i = 0; i < 3; i++)
      expect((await limited.call('GET', '/v1/orders', { as: 'busy' })).status).toBe(200);
    const refused = await limited.call('GET', '/v1/orders', { as: 'busy' });
    expect([refused.status, refused.body.code, Number(refused.headers['retry-after']) > 0]).toEqual([
      429,
      'rate-limited',
      true,
    ]);
    expect((await limited.call('GET', '/v1/orders', { as: 'calm' })).status).toBe(200);
    await limited.close();
  });

  it('with no key configured nothing is open but health', async () => {
    const closed = await Kit.create('sqlite', { AUTH_JWT_SECRET: '' });
    expect((await closed.call('GET', '/v1/orders')).status).toBe(401);
    expect((await closed.app.inject({ url: '/livez' })).statusCode).toBe(200);
    await closed.close();
  });

  it('/metrics counts attempts', async () => {
    const menu = await kit.menu();
    await kit.ordered(menu, 'metric');
    const response = await kit.app.inject({
      url: '/metrics',
      headers: { authorization: `Bearer ${await kit.token('eye', 'viewer')}` },
    });
    expect(response.body).toContain(
      'lunchbox_event_attempts_total{type="MEICAN_NEW_V2_ORDER",outcome="applied",status="handled"} 1',
    );
    expect(response.body).toContain(
      'lunchbox_http_server_request_duration_seconds_count{route="place",status="2xx"}',
    );
    expect(response.body).toContain(
      'lunchbox_http_client_request_duration_seconds_count{target="meican",call="meican.addOrder",outcome="applied"}',
    );
    expect(response.body).toMatch(/lunchbox_build_info\{version="[\d.]+"/);
    expect(response.body.split('\n').filter((line) => line && !line.startsWith('#')).length).toBeLessThan(
      400,
    );
  });
});
