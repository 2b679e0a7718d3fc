import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raw, sql } from '../../src/database/sql.js';
import { Kit } from '../support/kit.js';

const OPEN = ['/livez', '/readyz', '/docs/problems'];
const headers = { host: 'lunchbox.test' };
const formOf = (fields: Record<string, string>) => new URLSearchParams(fields).toString();

/** The whole route table, made by walking what the server has: nobody has to remember to add a route here. */
describe('every route', () => {
  let kit: Kit;
  let readOnly: Kit;
  let eventId: string;
  let orderId: string;

  beforeAll(async () => {
    kit = await Kit.create('mariadb');
    ({ id: eventId, orderId } = await kit.parkedRefund(await kit.menu(), 'w1'));
    readOnly = await Kit.create('mariadb', { READ_ONLY: '1' });
  });
  afterAll(() => Promise.all([kit.close(), readOnly.close()]));

  const routes = () => kit.app.routeTable.filter(({ url }) => !url.includes('*'));
  const filled = (url: string): string =>
    url
      .replace(/^(.*(?:orders)\/):id/, `$1${orderId}`)
      .replace(':id', eventId)
      .replace(':act', 'requeue')
      .replace(':name', 'sweep')
      .replace(':file', 'x')
      .replace(':garden', 'g1')
      .replace(':date', '2031-01-01')
      .replace(':mealType', 'LUNCH')
      .replace(':tradeNo', 'T1');
  const changing = () => routes().filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method));
  const isConsole = (url: string): boolean => url.startsWith('/console');
  const isWayIn = (url: string): boolean => /^\/console\/(sign-in|sign-out|preferences)$/.test(url);

  async function books(of: Kit): Promise<string> {
    const tables = [
      'menu',
      'box_dish',
      'box_sideboard',
      'box_order',
      'order_step',
      'outbox_event',
      'event_attempt',
      'idempotency_record',
      'alert',
      'operator_action',
      'event_pause',
      'event_batch',
      'console_view',
      'canteen_consumption',
      'coffee_trade',
    ];
    const rows = [];
    for (const table of tables)
      rows.push([table, await of.database.query(sql`SELECT * FROM ${raw(table)} ORDER BY 1`)]);
    return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
  }

  async function cookieOf(of: Kit, role: 'viewer' | 'operator') {
    const token = await of.token(`walk-${role}`, role);
    const cookie = `lunchbox_session=${token}`;
    const page = await of.app.inject({
      method: 'GET',
      url: '/console/controls',
      headers: { ...headers, cookie },
    });
    return { token, cookie, form: /name="form" value="([0-9a-f]+)"/.exec(page.body)?.[1] ?? '' };
  }

  it('was found', () => {
    expect(routes().length).toBeGreaterThan(50);
    expect(changing().length).toBeGreaterThan(25);
  });

  it('as viewer: nothing but looking, and nothing changes', async () => {
    const { token, cookie, form } = await cookieOf(kit, 'viewer');
    const before = await books(kit);
    for (const { method, url } of changing().filter(({ url: one }) => !isWayIn(one))) {
      const answer = isConsole(url)
        ? await kit.app.inject({
            method: method as 'POST',
            url: filled(url),
            headers: {
              ...headers,
              cookie,
              'content-type': 'application/x-www-form-urlencoded',
              origin: 'http://lunchbox.test',
            },
            payload: formOf({
              form,
              reason: 'x',
              scope: 'target',
              name: 'meican',
              minutes: '5',
              format: 'csv',
              query: '',
              verb: 'requeue',
              type: 'X',
              ratePerSecond: '5',
            }),
          })
        : await kit.app.inject({
            method: method as 'POST',
            url: filled(url),
            headers: {
              authorization: `Bearer ${token}`,
              'idempotency-key': 'k',
              'content-type': 'application/json',
            },
            payload: '{"reason":"x"}',
          });
      expect([method, url, answer.statusCode]).toEqual([method, url, 403]);
    }
    expect(await books(kit)).toBe(before);
  });

  it('as viewer: every page can be looked at', async () => {
    const { token, cookie } = await cookieOf(kit, 'viewer');
    for (const { url } of routes().filter(({ method }) => method === 'GET')) {
      const answer = await kit.app.inject({
        method: 'GET',
        url: filled(url),
        headers: { ...headers, ...(isConsole(url) ? { cookie } : { authorization: `Bearer ${token}` }) },
      });
      expect([url, answer.statusCode], answer.body.slice(0, 200)).toEqual([
        url,
        expect.toSatisfy((status: number) => status < 500),
      ]);
      expect([401, 403]).not.toContain(answer.statusCode);
    }
  });

  it('without a token: closed', async () => {
    for (const { method, url } of routes().filter(
      ({ url: one }) => !OPEN.includes(one) && !isWayIn(one) && !one.startsWith('/console/assets'),
    )) {
      const answer = await kit.app.inject({
        method: method as 'POST',
        url: filled(url),
        headers,
        ...(method === 'GET' ? {} : { payload: {} }),
      });
      if (isConsole(url) && method === 'GET')
        expect([url, answer.statusCode, answer.headers.location]).toEqual([
          url,
          303,
          expect.stringContaining('/console/'),
        ]);
      else expect([method, url, answer.statusCode]).toEqual([method, url, 401]);
    }
  });

  it('from another site: every form is refused, and nothing changes', async () => {
    const { cookie, form } = await cookieOf(kit, 'operator');
    const before = await books(kit);
    for (const { method, url } of changing().filter(({ url: one }) => isConsole(one)))
      for (const foreign of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ]) {
        const answer = await kit.app.inject({
          method: method as 'POST',
          url: filled(url),
          headers: { ...headers, cookie, 'content-type': 'application/x-www-form-urlencoded', ...foreign },
          payload: formOf({ form, reason: 'x' }),
        });
        expect([url, JSON.stringify(foreign), answer.statusCode]).toEqual([
          url,
          JSON.stringify(foreign),
          403,
        ]);
      }
    expect(await books(kit)).toBe(before);
  });

  it('read-only: 403 to everybody, and the console says so', async () => {
    const { token, cookie, form } = await cookieOf(readOnly, 'operator');
    const before = await books(readOnly);
    for (const { method, url } of changing().filter(({ url: one }) => !isWayIn(one))) {
      const answer = await readOnly.app.inject({
        method: method as 'POST',
        url: filled(url),
        headers: isConsole(url)
          ? {
              ...headers,
              cookie,
              'content-type': 'application/x-www-form-urlencoded',
              origin: 'http://lunchbox.test',
            }
          : { authorization: `Bearer ${token}`, 'idempotency-key': 'k', 'content-type': 'application/json' },
        payload: isConsole(url) ? formOf({ form, reason: 'x' }) : '{"reason":"x"}',
      });
      expect([method, url, answer.statusCode]).toEqual([method, url, 403]);
    }
    expect(await books(readOnly)).toBe(before);
    expect(
      (await readOnly.app.inject({ method: 'GET', url: '/console/', headers: { ...headers, cookie } })).body,
    ).toContain('只读模式');
  });
});
