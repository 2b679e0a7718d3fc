import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createLogger } from '../../src/app/logging.js';
import { connectRedis, readyWithin } from '../../src/app/redis.js';
import { Problem } from '../../src/base/problems.js';
import { sql } from '../../src/database/sql.js';
import { createAuthenticate, signToken } from '../../src/http/auth.js';
import { AuthFailures } from '../../src/http/failures.js';
import { databaseKinds } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';

const secret = 'a-secret-of-the-tests-alone-32-bytes-and-more';
const DAY_S = 86_400;
const nowS = () => Math.floor(Date.now() / 1000);
const given = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
let addresses = 0;
const address = () => `192.0.2.${++addresses}`;
const ask = (authenticate: ReturnType<typeof createAuthenticate>, token: string, from = address()) =>
  authenticate(`Bearer ${token}`, from).then(
    ({ sub }) => sub,
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

describe('a token', () => {
  const own = createAuthenticate({ secret, jwksUrl: undefined });

  it.each([
    ['without exp', { sub: 'u', role: 'user' }],
    ['for 31 days', { sub: 'u', role: 'user', exp: nowS() + 31 * DAY_S }],
    ['that has run out', { sub: 'u', role: 'user', exp: nowS() - 60 }],
    ['of tomorrow (nbf)', { sub: 'u', role: 'user', exp: nowS() + 600, nbf: nowS() + 300 }],
    ['issued after its end', { sub: 'u', role: 'user', exp: nowS() + 600, iat: nowS() + 700 }],
    ['without sub', { role: 'user', exp: nowS() + 600 }],
    ['whose sub is a number', { sub: 5, role: 'user', exp: nowS() + 600 }],
    ['whose exp is a text', { sub: 'u', role: 'user', exp: '9999999999' }],
    ...[
      '',
      ' ',
      'alice ',
      ' alice',
      'a\u0000',
      'a\tb',
      'a\u200Bb',
      'a\u202Eb',
      'a\u00ADb',
      'a\uFEFF',
      'a\u00A0',
      'e\u0301',
      'a\uD800',
      'x'.repeat(129),
    ].map(
      (sub) =>
        [
          `whose sub is ${JSON.stringify(sub.slice(0, 20))}`,
          { sub, role: 'user', exp: nowS() + 600 },
        ] as const,
    ),
  ] as const)('%s is refused', async (_what, claims) => {
    expect(await ask(own, await given(claims))).toBe('unauthorized');
  });

  it.each(['alice', '张三', 'o’brien', 'Zoë', 'a b', 'x'.repeat(128), 'user@example.com'])(
    'of %s is taken, up to 30 days',
    async (sub) => {
      expect(await ask(own, await given({ sub, role: 'user', exp: nowS() + 30 * DAY_S }))).toBe(sub);
    },
  );

  it('must be of the issuer and for the audience that are set', async () => {
    const strict = createAuthenticate({
      secret,
      jwksUrl: undefined,
      issuer: 'https://id.example',
      audience: 'lunchbox',
    });
    const rest = { sub: 'u', role: 'user', exp: nowS() + 600 };
    for (const [claims, said] of [
      [{ iss: 'https://id.example', aud: 'lunchbox' }, 'u'],
      [{ iss: 'https://id.example', aud: ['other', 'lunchbox'] }, 'u'],
      [{ iss: 'https://id.example' }, 'unauthorized'],
      [{ aud: 'lunchbox' }, 'unauthorized'],
      [{ iss: 'https://id.example', aud: 'other' }, 'unauthorized'],
      [{ iss: 'https://evil.example', aud: 'lunchbox' }, 'unauthorized'],
    ] as const)
      expect([claims, await ask(strict, await given({ ...rest, ...claims }))]).toEqual([claims, said]);
    expect(
      await ask(
        strict,
        await signToken(secret, {
          sub: 'u',
          role: 'user',
          ttlS: 60,
          issuer: 'https://id.example',
          audience: 'lunchbox',
        }),
      ),
    ).toBe('u');
  });

  it('of a key set is asymmetric only, one of a secret HS256 only; a key set that is away says nothing of the token', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' };
    let away = false;
    const server = createServer((_request, response) =>
      away ? response.writeHead(500).end() : response.end(JSON.stringify({ keys: [jwk] })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const rest = { sub: 'u', role: 'user', exp: nowS() + 600, iss: 'i', aud: 'a' };
      const ofKeys = () => createAuthenticate({ secret, jwksUrl, issuer: 'i', audience: 'a' });
      const signed = await new SignJWT(rest)
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .sign(privateKey);
      const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${signed.split('.')[1]}.x`;
      const confused = await new SignJWT(rest)
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(new TextEncoder().encode(JSON.stringify(jwk)));
      expect(await ask(ofKeys(), signed)).toBe('u');
      expect(await ask(ofKeys(), await given(rest))).toBe('unauthorized');
      expect(await ask(ofKeys(), confused)).toBe('unauthorized');
      expect(await ask(ofKeys(), none)).toBe('unauthorized');
      expect(await ask(own, signed)).toBe('unauthorized');
      expect(await ask(own, none)).toBe('unauthorized');
      away = true;
      const failing = createAuthenticate({
        secret: undefined,
        jwksUrl,
        issuer: 'i',
        audience: 'a',
        failures: new AuthFailures(1, null),
      });
      for (let i = 0; i < 3; i++)
        expect(await ask(failing, signed, '192.0.3.1')).toBe('dependency-unavailable');
    } finally {
      server.close();
    }
  });

  it('that is bad is counted by its address: beyond the limit 429 before the signature is looked at, but not for tokens that were genuine lately', async () => {
    const guarded = createAuthenticate({ secret, jwksUrl: undefined, failures: new AuthFailures(3, null) });
    const [mine, fresh, old] = [
      await signToken(secret, { sub: 'me', role: 'user', ttlS: 60 }),
      await signToken(secret, { sub: 'me2', role: 'user', ttlS: 60 }),
      await signToken(secret, { sub: 'me', role: 'user', ttlS: -60 }),
    ];
    expect(await ask(guarded, mine, '198.51.100.1')).toBe('me');
    for (let i = 0; i < 5; i++) expect(await ask(guarded, old, '198.51.100.1')).toBe('unauthorized'); // genuine, only late
    for (let i = 0; i < 3; i++) expect(await ask(guarded, 'a.b.c', '198.51.100.1')).toBe('unauthorized');
    expect(await ask(guarded, 'a.b.c', '198.51.100.1')).toBe('rate-limited');
    expect(await ask(guarded, fresh, '198.51.100.1')).toBe('rate-limited');
    expect(await ask(guarded, mine, '198.51.100.1')).toBe('me');
    expect(await ask(guarded, fresh, '198.51.100.2')).toBe('me2');
    for (let i = 0; i < 3; i++)
      expect(await ask(guarded, 'a.b.c', `2001:db8:1:2::${i}`)).toBe('unauthorized');
    expect(await ask(guarded, 'a.b.c', '2001:db8:1:2:ffff::1')).toBe('rate-limited');
  });

  it('that is bad is counted for all processes together where there is a Redis', async () => {
    const redis = connectRedis(inject('redisUrl'), createLogger('silent', 'test'));
    try {
      expect(await readyWithin(redis, 5_000)).toBe(true);
      const from = `203.0.113.${Math.floor(Math.random() * 250)}-${Date.now()}`;
      const [one, other] = [new AuthFailures(4, redis), new AuthFailures(4, redis)];
      const heard = async (count: number) =>
        expect.poll(() => redis.get(`lunchbox:auth-failures:${from}`)).toBe(String(count));
      for (let i = 1; i <= 3; i++) {
        one.count(from);
        await heard(i);
      }
      other.refuse(from, 'x');
      other.count(from);
      await expect
        .poll(() => {
          try {
            other.refuse(from, 'x');
            return 'let through';
          } catch (error) {
            return (error as Problem).code;
          }
        })
        .toBe('rate-limited');
      expect(await redis.pttl(`lunchbox:auth-failures:${from}`)).toBeGreaterThan(0);
    } finally {
      redis.disconnect();
    }
  });
});

describe.each(databaseKinds)('people on %s', (kind) => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());

  it('are told apart byte by byte: alice is neither "alice ", nor ALICE, nor álice', async () => {
    const menu = await kit.menu();
    expect((await kit.order(menu, 'alice')).status).toBe(201);
    for (const [table, column] of [
      ['box_order', 'user_id'],
      ['idempotency_record', 'caller'],
    ] as const)
      for (const [name, found] of [
        ['alice', 1],
        ['alice ', 0],
        ['ALICE', 0],
        ['álice', 0],
      ] as const) {
        const rows =
          table === 'box_order'
            ? await kit.database.query(sql`SELECT 1 AS one FROM box_order WHERE user_id = ${name}`)
            : await kit.database.query(sql`SELECT 1 AS one FROM idempotency_record WHERE caller = ${name}`);
        expect([table, column, name, rows.length]).toEqual([table, column, name, found]);
      }
    for (const as of ['ALICE', 'álice'])
      expect((await kit.call<{ data: unknown[] }>('GET', '/v1/orders', { as })).body.data).toEqual([]);
  });

  it('of one name and two roles do not share an idempotency key; one of before the upgrade still holds', async () => {
    const body = (userId: string) => ({ userId, amountInCent: 100, outTradeNo: `T-${userId}` });
    const call = (role: 'service' | 'operator', of: string) =>
      kit.call('POST', `/v1/coffee-trades/C-${of}/refund`, {
        as: 'alice',
        role,
        key: 'one-key',
        body: body(of),
      });
    expect((await call('service', 'a')).status).toBeLessThan(300);
    expect((await call('operator', 'b')).status).toBeLessThan(300); // it was 422: the key belonged to the other
    expect((await call('service', 'a')).headers['idempotent-replayed']).toBe('true');
    const rows = await kit.database.query<{ scope_hash: string }>(
      sql`SELECT scope_hash FROM idempotency_record WHERE operation = 'coffee-refund' ORDER BY created_at, scope_hash`,
    );
    expect(rows).toHaveLength(2);
    const menu = await kit.menu({ mealType: 'DINNER', date: tomorrow });
    const first = await kit.order(menu, 'bea', 'old-key');
    expect(first.status).toBe(201);
    const old = createHash('sha256')
      .update(JSON.stringify(['bea', 'place', 'old-key']))
      .digest('hex');
    await kit.database.execute(sql`UPDATE idempotency_record SET scope_hash = ${old} WHERE caller = 'bea'`);
    const again = await kit.order(menu, 'bea', 'old-key');
    expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([
      201,
      'true',
      first.body,
    ]);
  });
});
