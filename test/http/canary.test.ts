import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/app/logging.js';
import { maskedSettings } from '../../src/app/settings.js';
import { raw, sql } from '../../src/database/sql.js';
import { EchoVendor, echoModes } from '../support/echo-vendor.js';
import { Kit } from '../support/kit.js';
import { consolePages } from '../support/pages.js';
import { launch, packed } from '../support/processes.js';

/** Each can be told from every other text, so that where it turns up it was leaked. */
const canary = (of: string): string => `canary-${of}-Zx9Qw7`;
const secrets = {
  jwt: canary('jwt-secret-of-more-than-32-bytes'),
  corpToken: canary('corp-token'),
  appSecret: canary('app-secret'),
  corpSecret: canary('corp-secret'),
  robotKey: canary('robot-key'),
};
const people = { name: canary('name'), email: 'canary-mail-zx9qw7@example.com', mobile: '13812349876' };

const tables = [
  'outbox_event',
  'event_attempt',
  'order_step',
  'alert',
  'alert_occurrence',
  'alert_message',
  'operator_action',
  'idempotency_record',
];

describe('secrets and people’s data', () => {
  let kit: Kit;
  const log: string[] = [];
  const spans = new InMemorySpanExporter();
  const answers: string[] = [];
  let ids: { orderId: string; eventId: string };

  beforeAll(async () => {
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    );
    kit = await Kit.create(
      'mariadb',
      {
        AUTH_JWT_SECRET: secrets.jwt,
        MEICAN_CORP_TOKEN: secrets.corpToken,
        ENERGY_APP_SECRET: secrets.appSecret,
        WECOM_CORP_SECRET: secrets.corpSecret,
        WECOM_WEBHOOK_URL: `SANDBOX/wecom/cgi-bin/webhook/send?key=${secrets.robotKey}`,
        ALERT_USERS: 'zhang',
      },
      {
        secrets: {
          meicanCorpToken: secrets.corpToken,
          energyAppSecret: secrets.appSecret,
          wecomCorpSecret: secrets.corpSecret,
        },
        logger: createLogger('trace', 'test', { write: (text) => log.push(text) }),
      },
    );
    const menu = await kit.menu();
    const call = async (
      method: 'GET' | 'POST',
      url: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const answer = await kit.call<Record<string, unknown>>(method, url, {
        ...(body === undefined ? {} : { body }),
        headers,
      });
      answers.push(JSON.stringify(answer.body), JSON.stringify(answer.headers));
      return answer;
    };
    // A whole story of a person with a name, in every state an order can get into.
    const body = { ...kit.orderBody(menu), userId: 'u1', email: people.email, name: people.name };
    const placed = await call('POST', '/v1/orders', body, {
      'X-Api-KEY': secrets.jwt,
      'x-request-id': 'canary-request',
    });
    const orderId = (placed.body.orders as { id: string }[])[0]?.id ?? '';
    await kit.runDue();
    kit.fault(
      { call: 'energy.unPay', kind: 'reset-after' },
      { call: 'energy.queryRefund', kind: 'read-lag', ms: 3_600_000 },
      { call: 'meican.cancelOrder', kind: 'status-before', status: 500 },
    );
    await call('POST', `/v1/orders/${orderId}/cancel`, { reason: `please, ${people.mobile}` });
    await kit.pass(4);
    kit.sandbox.faults.clear();
    const events = (await kit.events(`&orderId=${orderId}`)).filter((event) => event.status === 'errored');
    ids = { orderId, eventId: events[0]?.id ?? '' };
    await call('POST', `/v1/events/${ids.eventId}/ask`, {});
    // And everything that can go wrong with a request.
    await call('POST', '/v1/orders', {
      garden: people.name,
      meals: [{ dishId: people.email }],
      phone: people.mobile,
    });
    await call('POST', '/v1/orders', `not json ${secrets.jwt}`);
    await call('GET', `/v1/orders/${encodeURIComponent(people.email)}`);
    const bad = await kit.app.inject({
      method: 'GET',
      url: '/v1/orders',
      headers: { AUTHORIZATION: `Bearer ${secrets.jwt}.x.y`, cookie: `a=${secrets.jwt}` },
    });
    answers.push(bad.body);
    await kit.pass(2, ['WECOM_ALERT']);
  });
  afterAll(async () => {
    trace.disable();
    await kit.close();
  });

  const all = { ...secrets, name: people.name, email: people.email, mobile: people.mobile };
  function expectNone(where: string, text: string): void {
    for (const [name, value] of Object.entries(all))
      expect(text.toLowerCase().includes(value.toLowerCase()), `${name} in ${where}`).toBe(false);
  }

  it('were there to be leaked', () => {
    expect(ids.eventId).not.toBe('');
    expect(log.join('').length).toBeGreaterThan(2_000);
    expect(spans.getFinishedSpans().length).toBeGreaterThan(5);
  });

  it('never reach the log', () => expectNone('the log', log.join('')));
  it('never reach a trace', () =>
    expectNone(
      'a span',
      JSON.stringify(
        spans.getFinishedSpans().map(({ name, attributes, events }) => [name, attributes, events]),
      ),
    ));
  it('never reach an alert', () => {
    const { robotMessages } = kit.sandbox.ledger.books;
    expect(robotMessages.length).toBeGreaterThan(0);
    expectNone('a message', JSON.stringify(robotMessages.map(({ content }) => content)));
  });
  it('never reach the event table, the journal, the alerts or the audit', async () => {
    for (const table of tables)
      expectNone(table, JSON.stringify(await kit.database.query(sql`SELECT * FROM ${raw(table)}`)));
  });
  it('never reach an answer of the API, an error, the settings that are shown, or a metric', async () => {
    for (const answer of answers) expectNone('an answer', answer);
    expectNone('the settings', JSON.stringify(maskedSettings(kit.runtime.settings)));
    expectNone('the metrics', await kit.runtime.metrics.scrape());
  });
  it('never reach a page, an export or a story', async () => {
    const cookie = `lunchbox_session=${await kit.token('c', 'operator')}`;
    for (const { url } of await consolePages(kit.database)) {
      const page = await kit.app.inject({ method: 'GET', url, headers: { host: 'x', cookie } });
      expectNone(url, page.body);
    }
    for (const url of [
      `/console/orders/${ids.orderId}`,
      `/console/events/${ids.eventId}`,
      `/console/events/${ids.eventId}/json`,
    ])
      expectNone(url, (await kit.app.inject({ method: 'GET', url, headers: { host: 'x', cookie } })).body);
    expectNone(
      'the timeline',
      JSON.stringify((await kit.call('GET', `/v1/orders/${ids.orderId}/timeline`)).body),
    );
  });
});

const base64 = (value: string): string => Buffer.from(value).toString('base64');
/** Every shape in which a text is told: with what surrounds it, and what of it is looked for afterwards. */
const shapesOf = (value: string): { told: string; sought: string }[] => [
  ...[
    value,
    encodeURIComponent(value),
    new URLSearchParams({ v: value }).toString().slice(2),
    base64(value),
    Buffer.from(value).toString('base64url'),
    value.toUpperCase(),
    JSON.stringify(value).slice(1, -1),
  ].map((shape) => ({ told: shape, sought: shape })),
  { told: base64(`user:${value}:x`), sought: base64(`user:${value}:x`).slice(8, -8) },
  { told: base64(`u${value}`), sought: base64(`u${value}`).slice(3, -6) },
];

describe('a vendor that repeats everything it was sent, in its codes, descriptions, errors and headers', () => {
  const hidden = {
    jwt: canary('jwt/with+signs=and-more-of-them'),
    corpToken: canary('corp/token+&'),
    appSecret: canary('app-secret"quoted'),
    corpSecret: canary('corp-secret'),
    robotKey: canary('robot-key'),
    name: '欧阳 Canary-Ouyang',
    email: 'canary-mail-zx9qw7@example.com',
    mobile: '13812349876',
  };
  const shapes = Object.entries(hidden)
    .flatMap(([name, value]) => shapesOf(value).map((shape) => ({ name, ...shape })))
    // Nobody told us a telephone's number: it is known by what it looks like.
    .filter(({ name, told }) => name !== 'mobile' || told === hidden.mobile);
  const log: string[] = [];
  const answers: string[] = [];
  let kit: Kit;
  let vendor: EchoVendor;
  let orderIds: string[] = [];

  beforeAll(async () => {
    const known = (ofDiner: boolean) =>
      shapes.flatMap(({ name, told }) => (['name', 'email'].includes(name) === ofDiner ? [told] : []));
    vendor = await EchoVendor.start(
      [...known(false), hidden.email, encodeURIComponent(hidden.email), '\u001b[2J\u202e\u0007'],
      known(true),
    );
    kit = await Kit.create(
      'mariadb',
      {
        AUTH_JWT_SECRET: hidden.jwt,
        MEICAN_CORP_TOKEN: hidden.corpToken,
        ENERGY_APP_SECRET: hidden.appSecret,
        WECOM_CORP_SECRET: hidden.corpSecret,
        MEICAN_BASE_URL: `${vendor.url}/meican`,
        ENERGY_BASE_URL: `${vendor.url}/energy`,
        WECOM_BASE_URL: `${vendor.url}/wecom`,
        WECOM_WEBHOOK_URL: `${vendor.url}/wecom/cgi-bin/webhook/send?key=${hidden.robotKey}`,
        ALERT_USERS: 'zhang',
        RATE_LIMIT_PER_MINUTE: '100000',
      },
      {
        secrets: {
          meicanCorpToken: hidden.corpToken,
          energyAppSecret: hidden.appSecret,
          wecomCorpSecret: hidden.corpSecret,
        },
        logger: createLogger('trace', 'test', { write: (text) => log.push(text) }),
      },
    );
    vendor.target = kit.sandbox.url;
    const menu = await kit.menu({ stock: 100, capacity: 100 });
    const call = async (method: 'GET' | 'POST', url: string, body?: unknown) => {
      const answer = await kit.call<Record<string, unknown>>(method, url, body === undefined ? {} : { body });
      answers.push(JSON.stringify(answer.body), JSON.stringify(answer.headers));
      return answer.body;
    };
    const place = async (userId: string): Promise<string> => {
      const { orders } = (await call('POST', '/v1/orders', {
        ...kit.orderBody(menu),
        userId,
        email: hidden.email,
        name: hidden.name,
      })) as {
        orders?: { id: string }[];
      };
      return orders?.[0]?.id ?? '';
    };
    for (const mode of echoModes) {
      vendor.mode = mode;
      vendor.lies = /^$/;
      const placed = [await place(`${mode}-1`), await place(`${mode}-2`)];
      await kit.runDue();
      vendor.lies = /\/meican\//;
      placed.push(await place(`${mode}-3`), await place(`${mode}-4`));
      await kit.pass(3);
      vendor.lies = /./;
      await place(`${mode}-5`);
      for (const id of placed) await call('POST', `/v1/orders/${id}/cancel`, {});
      await call('POST', '/v1/canteen-consumptions', {
        recordNo: `Z${mode}`,
        userId: 'u',
        amountInCent: 5,
        canteen: 'A',
        consumedAt: '2026-11-20T12:00:00+08:00',
      });
      await call('POST', `/v1/coffee-trades/C${mode}/refund`, {
        userId: 'u',
        amountInCent: 5,
        outTradeNo: `K${mode}`,
      });
      await kit.pass(5);
      for (const { id } of await kit.events('&status=errored'))
        await call('POST', `/v1/events/${id}/ask`, {});
      await call('GET', `/v1/books?day=${menu.date}&againstVendors=true`);
      orderIds = [...orderIds, ...placed];
    }
    vendor.lies = /^$/;
    await kit.pass(3);
  }, 120_000);
  afterAll(async () => {
    await kit.close();
    await vendor.close();
  });

  function expectNone(where: string, text: string): void {
    const lower = text.toLowerCase();
    for (const { name, sought } of shapes) {
      const at = lower.indexOf(sought.toLowerCase());
      expect(at, `${name} as ${sought} in ${where}: …${text.slice(Math.max(0, at - 80), at + 80)}…`).toBe(-1);
    }
    expect(/\p{Cf}|[^\P{Cc}\n\r\t]/u.exec(text)?.index ?? -1, `a sign that acts, in ${where}`).toBe(-1);
  }

  it('was asked in every call', () => {
    const called = [...vendor.answered].join('\n');
    for (const path of [
      'addorder',
      'deleteorder',
      'listgrouporderandbill',
      'POST /energy/v#/pay',
      '/close',
      'POST /energy/v#/unpay',
      'GET /energy/v#/unpay',
    ])
      expect(called).toContain(path);
    for (const path of ['GET /energy/v#/pay', '/consumptions', 'webhook/send', 'message/send'])
      expect(called).toContain(path);
  });

  it('leaks nothing to the log', () => expectNone('the log', log.join('')));
  it('leaks nothing to the on-call group, nor to diners', () => {
    expect(vendor.told.length).toBeGreaterThan(3);
    expectNone('a message', vendor.told.join('\n'));
  });
  it('leaks nothing to the tables', async () => {
    for (const table of tables)
      for (const line of await kit.database.query<Record<string, unknown>>(sql`SELECT * FROM ${raw(table)}`))
        expectNone(table, Object.values(line).map(String).join('\n'));
  });
  it('leaks nothing to the API: events, attempts, causes, stories, metrics', async () => {
    for (const answer of answers) expectNone('an answer', answer);
    for (const url of [
      '/v1/events?limit=100',
      '/v1/causes',
      '/v1/audit',
      ...orderIds.map((id) => `/v1/orders/${id}/timeline`),
    ])
      expectNone(url, JSON.stringify((await kit.call('GET', url)).body));
    for (const { id } of await kit.events())
      expectNone(`event ${id}`, JSON.stringify((await kit.call('GET', `/v1/events/${id}`)).body));
    expectNone('the metrics', await kit.runtime.metrics.scrape());
  });
  it('leaks nothing to the console and its exports', async () => {
    const cookie = `lunchbox_session=${await kit.token('c', 'operator')}`;
    for (const { url } of await consolePages(kit.database))
      expectNone(url, (await kit.app.inject({ method: 'GET', url, headers: { host: 'x', cookie } })).body);
    for (const { id } of await kit.events())
      expectNone(
        `page ${id}`,
        (
          await kit.app.inject({
            method: 'GET',
            url: `/console/events/${id}`,
            headers: { host: 'x', cookie },
          })
        ).body,
      );
  });
  it('leaks nothing to the command line', async () => {
    const errored = (await kit.events('&status=errored'))[0]?.id ?? '';
    for (const args of [
      ['events', 'list', '--limit', '100'],
      ['events', 'show', errored],
      ['causes'],
      ['orders', 'show', orderIds[2] ?? '', '--json'],
      ['tail', '--since', '60', '--for', '0'],
    ]) {
      const child = launch([packed('cli'), ...args], { ...kit.env, REDIS_URLS: 'redis://127.0.0.1:1' });
      expect(await child.ended, args.join(' ')).toBe(0);
      expectNone(`cli ${args.join(' ')}`, child.output());
    }
  }, 60_000);
});
