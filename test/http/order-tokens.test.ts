import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';
import { call, environment, startApi } from '../support/processes.js';

interface Issued {
  readonly token: string;
  readonly expiresAt: string;
  readonly code?: string;
}

const shapes = [
  ...databaseKinds.map((kind) => ({ name: `${kind}, no Redis`, kind, withRedis: false })),
  { name: 'mariadb and Redis', kind: 'mariadb', withRedis: true } as const,
];

describe.each(shapes)('order tokens on $name', ({ kind, withRedis }) => {
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `tok${++user}`;
  const kits: Kit[] = [];
  const kitOf = async (settings: Record<string, string>): Promise<Kit> => {
    const kit = await Kit.create(kind, {
      ...settings,
      ...(withRedis ? { REDIS_URLS: inject('redisUrl') } : {}),
    });
    kits.push(kit);
    return kit;
  };
  const tokenFor = async (kit: Kit, as: string): Promise<Issued> =>
    (await kit.call<Issued & Record<string, unknown>>('POST', '/v1/order-tokens', { as, key: null })).body;
  afterAll(async () => {
    for (const kit of kits) await kit.close();
  });

  describe('required', () => {
    let kit: Kit;
    beforeAll(async () => {
      kit = await kitOf({ ORDER_TOKEN: 'required' });
    });
    beforeEach(async () => {
      kit.sandbox.faults.clear();
      menu = await kit.menu({ stock: 500, capacity: 500 });
    });

    it('a token is one order: again the same answer, with another body 422', async () => {
      const sub = someone();
      const issued = await kit.call<Issued & Record<string, unknown>>('POST', '/v1/order-tokens', {
        as: sub,
        key: null,
      });
      expect([issued.status, issued.headers['cache-control']]).toEqual([201, 'no-store']);
      expect(Date.parse(issued.body.expiresAt) - Date.now()).toBeGreaterThan(590_000);
      const { token } = issued.body;
      const first = await kit.order(menu, sub, token);
      expect(first.status).toBe(201);
      const again = await kit.order(menu, sub, token);
      expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([
        201,
        'true',
        first.body,
      ]);
      const other = { ...kit.orderBody(menu), name: 'another' };
      const reused = await kit.call('POST', '/v1/orders', { as: sub, key: token, body: other });
      expect([reused.status, reused.body.code]).toEqual([422, 'idempotency-key-reused']);
    });

    it('a key that is no token of this caller is refused, and nothing is kept', async () => {
      const sub = someone();
      const { token } = await tokenFor(kit, someone());
      const own = (await tokenFor(kit, sub)).token;
      const before = await kit.stockOf(menu);
      for (const key of ['plain', token, `${own}x`, own.slice(0, -1), own.replace('ot1.', 'ot1.z')]) {
        const answer = await kit.order(menu, sub, key);
        expect([key, answer.status, answer.body.code]).toEqual([key, 409, 'order-token-invalid']);
      }
      const asService = await kit.call('POST', '/v1/orders', {
        as: sub,
        role: 'service',
        key: own,
        body: { ...kit.orderBody(menu), userId: sub, email: `${sub}@example.com` },
      });
      expect(asService.body.code).toBe('order-token-invalid');
      expect(await kit.stockOf(menu)).toEqual(before);
      expect((await kit.order(menu, sub, own)).status).toBe(201);
    });

    it('ten at once with one token are one order', async () => {
      const sub = someone();
      const { token } = await tokenFor(kit, sub);
      const answers = await Promise.all(Array.from({ length: 10 }, () => kit.order(menu, sub, token)));
      const placed = answers.filter(({ status }) => status === 201);
      expect(new Set(placed.map(({ body }) => body.orders[0]?.id)).size).toBe(1);
      expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
      const rows = await kit.database.query(sql`SELECT id FROM box_order WHERE user_id = ${sub}`);
      expect(rows).toHaveLength(1);
    });

    it('a request that ended before anything was kept: the same token and body order once more', async () => {
      const sub = someone();
      const { token } = await tokenFor(kit, sub);
      kit.fault({ call: 'energy.pay', kind: 'status-before', status: 500, times: 20 });
      expect((await kit.order(menu, sub, token)).status).toBe(503);
      kit.sandbox.faults.clear();
      await kit.settleAll();
      expect((await kit.order(menu, sub, token)).status).toBe(201);
    });

    it('who may: a user, a service, an operator', async () => {
      for (const [role, status] of [
        ['user', 201],
        ['service', 201],
        ['operator', 201],
        ['viewer', 403],
        ['manager', 403],
      ] as const)
        expect([role, (await kit.call('POST', '/v1/order-tokens', { as: 'x', role })).status]).toEqual([
          role,
          status,
        ]);
    });
  });

  it('an expired token is refused', async () => {
    const kit = await kitOf({ ORDER_TOKEN: 'required', ORDER_TOKEN_TTL_MS: '1000' });
    menu = await kit.menu();
    const sub = someone();
    const { token, expiresAt } = await tokenFor(kit, sub);
    await expect.poll(() => Date.now() > Date.parse(expiresAt), { timeout: 5_000 }).toBe(true);
    const answer = await kit.order(menu, sub, token);
    expect([answer.status, answer.body.code]).toEqual([409, 'order-token-invalid']);
  });

  it('optional: any key is taken, and a token is', async () => {
    const kit = await kitOf({});
    menu = await kit.menu();
    expect((await kit.order(menu, 'plain', 'any key')).status).toBe(201);
    expect((await kit.order(menu, 'token', (await tokenFor(kit, 'token')).token)).status).toBe(201);
  });

  it('off: there is no such resource, and any key is taken', async () => {
    const kit = await kitOf({ ORDER_TOKEN: 'off' });
    menu = await kit.menu();
    const answer = await kit.call('POST', '/v1/order-tokens', { as: 'x' });
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
    expect((await kit.order(menu, 'off', 'any key')).status).toBe(201);
  });

  if (withRedis)
    it('Redis compares and deletes it; without its memory the signature decides', async () => {
      const kit = await kitOf({ ORDER_TOKEN: 'required' });
      const redis = kit.runtime.redis[0];
      menu = await kit.menu();
      await redis?.flushall();
      const { token } = await tokenFor(kit, 'r1');
      expect((await redis?.keys('lunchbox:order-token:*'))?.length).toBe(1);
      const { token: other } = await tokenFor(kit, 'r2');
      expect((await kit.order(menu, 'r1', token)).status).toBe(201);
      expect((await redis?.keys('lunchbox:order-token:*'))?.length).toBe(1);
      expect((await redis?.keys('lunchbox:order-token-used:*'))?.length).toBe(1);
      await redis?.flushall();
      expect((await kit.order(menu, 'r2', other)).status).toBe(201);
    });

  it('a process that dies between the token and T1: the same token and body order once; another body is told', async () => {
    const kit = await kitOf({ ORDER_TOKEN: 'required' });
    menu = await kit.menu();
    const env = {
      ...environment(kit.sandbox.url, kit.env.DATABASE_URL ?? '', withRedis ? inject('redisUrl') : ''),
      ORDER_TOKEN: 'required',
      // With MySQL a process needs locks; this one has no Redis that answers.
      ...(kind === 'mariadb' && !withRedis ? { REDIS_URLS: 'redis://127.0.0.1:1' } : {}),
    };
    const dying = await startApi({ ...env, CRASH_AT: 'place-token-used' });
    const { token } = (await call<Issued>(`${dying.url}/v1/order-tokens`, 'POST', { sub: 'dies' })).body;
    const body = kit.orderBody(menu);
    expect((await call(`${dying.url}/v1/orders`, 'POST', { sub: 'dies', key: token, body })).status).toBe(0);
    expect(await dying.ended).toBe('SIGKILL');
    if (withRedis) {
      const other = { ...body, name: 'another' };
      const told = await kit.call('POST', '/v1/orders', { as: 'dies', key: token, body: other });
      expect([told.status, told.body.code]).toEqual([422, 'idempotency-key-reused']);
    }
    expect((await kit.order(menu, 'dies', token)).status).toBe(201);
    const rows = await kit.database.query(sql`SELECT id FROM box_order WHERE user_id = 'dies'`);
    expect(rows).toHaveLength(1);
  });
});
