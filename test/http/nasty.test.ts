import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Kit } from '../support/kit.js';

/** As text in an address. What stands here is escaped already. */
const texts = [
  '',
  '%00',
  'a%00b',
  '%ED%A0%80', // half a character in UTF-8
  '%FF',
  '%zz',
  '%0d%0aSet-Cookie:%20a=b',
  '%E4%B8%AD%E6%96%87',
  '%F0%9F%8D%B1',
  '%E2%80%AE',
  "'%20OR%201=1%20--",
  '%25',
  '..%2f..%2fetc%2fpasswd',
  '%5C%5Cevil',
  '//evil.example',
  '-1',
  '0',
  '1e9',
  '1e308',
  'NaN',
  '18446744073709551616',
  '9999999999999999999',
  '99999-01-01',
  '0000-00-00',
  '2031-02-30',
  '99999-12-31T00:00',
  '9999-12-31T23:59',
  '0000-01-01T00:00',
  '9999-12-31T23:59:59-14:00',
  '__proto__',
  'constructor',
  'toString',
  '%7B%7D',
  'x'.repeat(3_000),
];
/** As JSON. */
const values = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e9',
  '1e308',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e"',
  '"\\r\\nSet-Cookie: a=b"',
  '"中文"',
  '"🍱"',
  '"__proto__"',
  '"99999-01-01"',
  '"9999-12-31T23:59:59-14:00"',
  '"0000-01-01T00:00:00Z"',
  '"18446744073709551616"',
  '"9999999999999999999"',
  '[]',
  '["x"]',
  '[null]',
  '{}',
  '{"a":{"a":{}}}',
  JSON.stringify('x'.repeat(10_000)),
];
/** For the queries and forms, which have hundreds of keys: one of each kind of trouble. */
const few = [
  '',
  'a%00b',
  '%ED%A0%80',
  '%0d%0aSet-Cookie:%20a=b',
  '-1',
  '1e308',
  '9999999999999999999',
  '99999-01-01',
  '0000-01-01T00:00',
  '%5C%5Cevil',
  '__proto__',
];
const members =
  'reason token name scope minutes verb type cause count ratePerSecond format query back to language theme verdict grantedInCent note ok'.split(
    ' ',
  );
const consoleQuery =
  'state type target cause attempts worker payload from to dueFrom dueTo overdue settled before compare q userId edibleDate beforeId after limit'.split(
    ' ',
  );
const ordinaryForm = {
  reason: 'x',
  verb: 'requeue',
  type: 'X',
  ratePerSecond: '5',
  scope: 'target',
  name: 'meican',
  minutes: '5',
  format: 'csv',
  query: '',
  verdict: 'accept',
  grantedInCent: '1',
  note: 'x',
  ok: 'true',
};

interface Described {
  readonly parameters?: { readonly in: string; readonly name: string }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly properties?: Record<string, unknown> } }>;
  };
}

describe('whatever stands in an address or a body is answered, and never by 5xx', {
  timeout: 120_000,
}, () => {
  let kit: Kit;
  /** An operator's, and for what only managers decide a manager's. */
  interface Signed {
    readonly cookie: string;
    readonly form: string;
    readonly authorization: string;
  }
  let operator: Signed;
  let manager: Signed;
  let wrong: string[];
  const calm = { host: 'lunchbox.test', origin: 'http://lunchbox.test' };

  beforeAll(async () => {
    kit = await Kit.create('mariadb');
    await kit.parkedRefund(await kit.menu(), 'n1');
    operator = await signedIn('op', 'operator');
    manager = await signedIn('mia', 'manager');
  });
  beforeEach(() => {
    wrong = [];
  });
  afterEach(() => expect(wrong.slice(0, 20)).toEqual([]));
  afterAll(() => kit.close());

  const signedIn = async (sub: string, role: 'operator' | 'manager'): Promise<Signed> => {
    const token = await kit.token(sub, role);
    const cookie = `lunchbox_session=${token}`;
    const headers = { ...calm, cookie };
    const page = await kit.app.inject({ method: 'GET', url: '/console/orders', headers });
    const form = /name="form" value="([0-9a-f]+)"/.exec(page.body)?.[1] ?? '';
    return { cookie, form, authorization: `Bearer ${token}` };
  };
  const signedFor = (method: string, url: string): Signed =>
    method !== 'GET' && /\/complaints\//.test(url) ? manager : operator;
  const routes = () => kit.app.routeTable.filter(({ url }) => !url.includes('*') && !url.startsWith('/docs'));
  const isConsole = (url: string) => url.startsWith('/console');
  const ordinary: Record<string, string> = {
    date: '2031-01-01',
    mealType: 'LUNCH',
    act: 'requeue',
    file: 'x',
  };
  const filled = (url: string, except?: string, nasty?: string) =>
    url.replace(/:(\w+)/g, (_, name: string) => (name === except ? (nasty ?? '') : (ordinary[name] ?? '1')));
  const described = (method: string, url: string): Described => {
    const paths = (
      kit.app as unknown as { swagger(): { paths: Record<string, Record<string, Described>> } }
    ).swagger().paths;
    return paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] ?? {};
  };
  async function answered(method: string, url: string, payload?: string, type?: string): Promise<number> {
    const { cookie, authorization } = signedFor(method, url);
    const answer = await kit.app.inject({
      method: method as 'POST',
      url,
      headers: {
        ...calm,
        ...(isConsole(url) ? { cookie } : { authorization, 'idempotency-key': 'n' }),
        ...(type ? { 'content-type': type } : {}),
      },
      ...(payload === undefined ? {} : { payload }),
    });
    const told = `${method} ${url.slice(0, 200)} ${payload?.slice(0, 200) ?? ''} → ${answer.statusCode} ${answer.body.slice(0, 300)}`;
    if (answer.statusCode >= 500) wrong.push(told);
    if (answer.statusCode >= 400 && /\n {4}at |node_modules|\bSELECT \w|\bER_[A-Z]/.test(answer.body))
      wrong.push(`a stack or SQL: ${told}`);
    expect(String(answer.headers.location ?? '/console/'), told).toMatch(/^\/console\/|^\/docs|^\.\//);
    expect(String(answer.headers['set-cookie'] ?? ''), told).not.toContain('a=b');
    return answer.statusCode;
  }

  it('in each part of a path', async () => {
    for (const { method, url } of routes())
      for (const [, name = ''] of url.matchAll(/:(\w+)/g))
        for (const nasty of texts)
          await answered(
            method,
            filled(url, name, nasty),
            method === 'GET'
              ? undefined
              : isConsole(url)
                ? `form=${signedFor(method, url).form}&reason=x`
                : '{"reason":"x"}',
            method === 'GET'
              ? undefined
              : isConsole(url)
                ? 'application/x-www-form-urlencoded'
                : 'application/json',
          );
  });

  it('in each member of a body, and as the body', async () => {
    for (const { method, url } of routes().filter((one) => one.method !== 'GET' && !isConsole(one.url))) {
      const names = Object.keys(
        described(method, url).requestBody?.content['application/json']?.schema.properties ?? {},
      );
      for (const value of values) {
        await answered(method, filled(url), value, 'application/json');
        for (const name of [...names, '__proto__']) {
          const rest = names.filter((one) => one !== name).map((one) => `"${one}":"1"`);
          await answered(
            method,
            filled(url),
            `{${[...rest, `"${name}":${value}`].join(',')}}`,
            'application/json',
          );
        }
      }
      await answered(method, filled(url), '['.repeat(100_000), 'application/json');
      await answered(
        method,
        filled(url),
        `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`,
        'application/json',
      );
    }
  });

  it('in each key of a query, once and twice', async () => {
    let keys = 0;
    for (const [page, { method, url }] of routes()
      .filter((one) => one.method === 'GET')
      .entries()) {
      const names = isConsole(url)
        ? consoleQuery
        : (described(method, url).parameters ?? [])
            .filter((one) => one.in === 'query')
            .map(({ name }) => name);
      for (const [at, name] of [...names, '__proto__', 'a[b]'].entries()) {
        keys += 1;
        // The pages of the console read the same filter: there a key meets each value on one page in eight.
        const nasties = few.filter((_, of) => (page + at + of) % (isConsole(url) ? 8 : 2) === 0);
        for (const nasty of nasties) await answered(method, `${filled(url)}?${name}=${nasty}`);
      }
      await answered(method, `${filled(url)}?${names.map((name) => `${name}=1&${name}=2`).join('&')}`);
    }
    expect(keys).toBeGreaterThan(100);
  });

  it('in each member of a form, in JSON for a form, and without one', async () => {
    const forms = routes().filter(
      (one) => one.method !== 'GET' && isConsole(one.url) && one.url !== '/console/sign-out',
    );
    expect(forms.length).toBeGreaterThan(5);
    for (const [at, { method, url }] of forms.entries()) {
      for (const [nth, member] of members.entries())
        for (const nasty of few.filter((_, of) => (at + nth + of) % 6 === 0)) {
          const rest = Object.entries(ordinaryForm).filter(([name]) => name !== member);
          const body = new URLSearchParams([['form', signedFor(method, url).form], ...rest]).toString();
          await answered(
            method,
            filled(url),
            `${body}&${member}=${nasty}`,
            'application/x-www-form-urlencoded',
          );
        }
      for (const json of ['{"token":5}', '{"reason":["x"]}', 'null', '5'])
        expect([url, await answered(method, filled(url), json, 'application/json')]).toEqual([url, 415]);
      await answered(method, filled(url));
    }
  });
});
