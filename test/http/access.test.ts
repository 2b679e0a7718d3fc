import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Role, roles } from '../../src/base/caller.js';
import { Kit } from '../support/kit.js';

/** What the contract says, written down a second time: role by role, the routes that it may call. */
const readers =
  /^(GET \/v1\/(events|event-batches|pauses|causes|audit|orders|books|menus|complaints)|GET \/metrics)/;
/** What two managers decide is nobody else's. */
const notManagers = /^(?!POST \/v1\/complaints\/)/;
const mayBe: Record<Role, RegExp> = {
  user: /^(GET \/v1\/(orders|orders\/:id|menus.*|complaints|complaints\/:id)|POST \/v1\/(orders|order-tokens|orders\/:id\/(cancel|complaints)))$/,
  service:
    /^(GET \/v1\/(orders|orders\/:id|menus.*)|GET \/metrics|POST \/v1\/(orders|order-tokens|orders\/:id\/(cancel|complaints)|canteen-consumptions|fulfilments|coffee-trades\/:tradeNo\/refund))$/,
  viewer: readers,
  manager:
    /^(GET \/v1\/(orders.*|books.*|menus.*|complaints.*)|PUT \/v1\/menus.*|POST \/v1\/complaints\/.*)$/,
  operator: notManagers,
  admin: notManagers,
};
const bad = [
  { what: 'a body that is not JSON', headers: { 'content-type': 'application/json' }, payload: '{' },
  { what: 'a body that fits nothing', headers: { 'content-type': 'application/json' }, payload: '[1,"x"]' },
  {
    what: 'a body of a megabyte',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ reason: 'a'.repeat(1_000_000) }),
  },
  { what: 'another media type', headers: { 'content-type': 'text/plain' }, payload: 'x' },
  { what: 'a media type that is none', headers: { 'content-type': ';;;' }, payload: 'x' },
  {
    what: 'a key that is none',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'ключ' },
    payload: '{}',
  },
];
const ids = ['1', 'x', '9'.repeat(300), '%zz', '%00', '%E4%B8%AD', '-1', '1e3'];

describe('who may call is decided before anything of the request is read', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create('sqlite');
  });
  afterAll(() => kit.close());

  const routes = () => kit.app.routeTable.filter(({ url }) => url.startsWith('/v1/') || url === '/metrics');
  const filled = (url: string, id: string) => url.replace(/:\w+/g, id);

  it.each(roles)('%s: 403 for every route that is not its own, whatever is sent', async (role) => {
    const authorization = `Bearer ${await kit.token('somebody', role)}`;
    for (const { method, url } of routes()) {
      const may = mayBe[role].test(`${method} ${url}`);
      for (const id of ids)
        for (const { what, headers, payload } of method === 'GET'
          ? bad.slice(0, 1)
          : id === '1'
            ? bad
            : bad.slice(1, 2)) {
          const answer = await kit.app.inject({
            method: method as 'POST',
            url: filled(url, id),
            headers: { ...headers, authorization },
            payload,
          });
          expect(
            [answer.statusCode === 403, answer.statusCode < 500 || what],
            `${role} ${method} ${filled(url, id)} with ${what}: ${answer.body}`,
          ).toEqual([!may, true]);
        }
    }
  });

  it('without a token, or with a bad one: 401, whatever is sent', async () => {
    for (const authorization of [undefined, 'Bearer x.y.z'])
      for (const { method, url } of routes())
        for (const { headers, payload } of bad) {
          if (method === 'GET' && payload !== bad[0]?.payload) continue;
          const answer = await kit.app.inject({
            method: method as 'POST',
            url: filled(url, '%zz'),
            headers: { ...headers, ...(authorization ? { authorization } : {}) },
            payload,
            remoteAddress: `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}:${Math.floor(Math.random() * 65_536).toString(16)}::1`,
          });
          expect([method, url, answer.statusCode, answer.headers['content-type']]).toEqual([
            method,
            url,
            401,
            'application/problem+json',
          ]);
        }
  });

  it('a method that a resource does not know: 405 and the methods that it knows, behind the token', async () => {
    const authorization = `Bearer ${await kit.token('op', 'operator')}`;
    const known = new Map<string, Set<string>>();
    for (const { method, url } of kit.app.routeTable.filter(
      (one) => !one.url.startsWith('/docs') && !one.url.startsWith('/console'),
    )) {
      const of = known.get(url) ?? new Set();
      known.set(url, of.add(method));
      if (method === 'GET') of.add('HEAD');
    }
    for (const [url, methods] of known)
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (methods.has(method)) continue;
        const all = {
          method,
          url: filled(url, '1'),
          headers: { 'content-type': 'text/plain' },
          ...(method === 'GET' || method === 'HEAD' ? {} : { payload: 'x' }),
        };
        const answer = await kit.app.inject({ ...all, headers: { ...all.headers, authorization } });
        expect([
          method,
          url,
          answer.statusCode,
          answer.headers['content-type'],
          answer.headers.allow,
        ]).toEqual([
          method,
          url,
          405,
          'application/problem+json',
          // /v1/pauses/resume and its like are also what a pattern with an id fits
          expect.stringContaining([...methods].sort()[0] ?? ''),
        ]);
        expect((await kit.app.inject(all)).statusCode).toBe(401);
      }
  });

  it('methods that no framework knows, over a real socket', async () => {
    const address = await kit.app.listen({ host: '127.0.0.1', port: 0 });
    const authorization = `Bearer ${await kit.token('op', 'operator')}`;
    for (const method of ['TRACE', 'PROPFIND', 'LOCK', 'SEARCH', 'MKCOL']) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(address).port), '127.0.0.1');
        let text = '';
        socket
          .on('data', (chunk) => (text += chunk))
          .on('end', () => resolve(text))
          .on('error', reject);
        socket.write(
          `${method} /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`,
        );
      });
      expect(answer.split('\r\n')[0], answer).toBe('HTTP/1.1 405 Method Not Allowed');
      expect(answer).toMatch(/\r\nallow: GET, HEAD, POST\r\n/i);
    }
  });

  it('unknown paths: 404; other media types: 415; ids that name nothing: 404, whatever they look like', async () => {
    const authorization = `Bearer ${await kit.token('op', 'operator')}`;
    const call = (method: 'GET' | 'POST', url: string, type?: string) =>
      kit.app.inject({
        method,
        url,
        headers: { authorization, 'idempotency-key': 'k', ...(type ? { 'content-type': type } : {}) },
        ...(type ? { payload: '{"reason":"x"}' } : {}),
      });
    for (const url of ['/v1/nothing', '/', '/v1/orders/1/2/3/4', '/v1//orders', '/%zz'])
      for (const method of ['GET', 'POST'] as const)
        expect([url, (await call(method, url, 'text/plain')).statusCode]).toEqual([url, 404]);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'nonsense',
    ])
      for (const url of ['/v1/orders', '/v1/events/1/requeue', '/v1/orders/1/cancel']) {
        const answer = await call('POST', url, type);
        expect([type, url, answer.statusCode, answer.json().code]).toEqual([
          type,
          url,
          415,
          'unsupported-media-type',
        ]);
      }
    for (const id of ids)
      for (const url of [
        '/v1/orders/ID',
        '/v1/events/ID',
        '/v1/orders/ID/timeline',
        '/v1/orders/ID/why',
        '/v1/event-batches/ID',
      ])
        expect([id, url, (await call('GET', url.replace('ID', id))).statusCode]).toEqual([id, url, 404]);
    for (const verb of ['know', 'unknow'])
      expect((await call('POST', `/v1/causes/99999/${verb}`, 'application/json')).json()).toMatchObject({
        status: 404,
        code: 'not-found',
      });
  });

  it('a reason of 250 kB, from who may not give one: 403; from who may: 400', async () => {
    const payload = JSON.stringify({ reason: 'a'.repeat(250_000) });
    for (const [role, status] of [
      ['viewer', 403],
      ['operator', 400],
    ] as const) {
      const headers = {
        authorization: `Bearer ${await kit.token('x', role)}`,
        'content-type': 'application/json',
      };
      expect(
        (await kit.app.inject({ method: 'POST', url: '/v1/events/1/discard', headers, payload })).statusCode,
      ).toBe(status);
    }
  });
});
