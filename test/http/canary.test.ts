import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raw, sql } from '../../src/database/sql.js';
import { createLogger } from '../../src/logging.js';
import { maskedSettings } from '../../src/settings.js';
import { Kit } from '../support/kit.js';
import { consolePages } from '../support/pages.js';

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

describe('secrets and people’s data', () => {
  let kit: Kit;
  const log: string[] = [];
  const spans = new InMemorySpanExporter();
  const answers: string[] = [];
  let ids: { orderId: string; eventId: string };

  beforeAll(async () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
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
        secrets: { meicanCorpToken: secrets.corpToken, energyAppSecret: secrets.appSecret, wecomCorpSecret: secrets.corpSecret },
        logger: createLogger('trace', 'test', { write: (text) => log.push(text) }),
      },
    );
    const menu = await kit.menu();
    const call = async (method: 'GET' | 'POST', url: string, body?: unknown, headers: Record<string, string> = {}) => {
      const answer = await kit.call<Record<string, unknown>>(method, url, { ...(body === undefined ? {} : { body }), headers });
      answers.push(JSON.stringify(answer.body), JSON.stringify(answer.headers));
      return answer;
    };
    // A whole story of a person with a name, in every state an order can get into.
    const body = { ...kit.orderBody(menu), userId: 'u1', email: people.email, name: people.name };
    const placed = await call('POST', '/v1/orders', body, { 'X-Api-KEY': secrets.jwt, 'x-request-id': 'canary-request' });
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
    await call('POST', '/v1/orders', { garden: people.name, meals: [{ dishId: people.email }], phone: people.mobile });
    await call('POST', '/v1/orders', `not json ${secrets.jwt}`);
    await call('GET', `/v1/orders/${encodeURIComponent(people.email)}`);
    const bad = await kit.app.inject({ method: 'GET', url: '/v1/orders', headers: { AUTHORIZATION: `Bearer ${secrets.jwt}.x.y`, cookie: `a=${secrets.jwt}` } });
    answers.push(bad.body);
    await kit.pass(2, ['WECOM_ALERT']);
  });
  afterAll(async () => {
    trace.disable();
    await kit.close();
  });

  const all = { ...secrets, name: people.name, email: people.email, mobile: people.mobile };
  function expectNone(where: string, text: string): void {
    for (const [name, value] of Object.entries(all)) expect(text.toLowerCase().includes(value.toLowerCase()), `${name} in ${where}`).toBe(false);
  }

  it('were there to be leaked', () => {
    expect(ids.eventId).not.toBe('');
    expect(log.join('').length).toBeGreaterThan(2_000);
    expect(spans.getFinishedSpans().length).toBeGreaterThan(5);
  });

  it('never reach the log', () => expectNone('the log', log.join('')));
  it('never reach a trace', () =>
    expectNone('a span', JSON.stringify(spans.getFinishedSpans().map(({ name, attributes, events }) => [name, attributes, events]))));
  it('never reach an alert', () => {
    const { robotMessages } = kit.sandbox.ledger.books;
    expect(robotMessages.length).toBeGreaterThan(0);
    expectNone('a message', JSON.stringify(robotMessages.map(({ content }) => content)));
  });
  it('never reach the event table, the journal, the alerts or the audit', async () => {
    for (const table of ['outbox_event', 'event_attempt', 'order_step', 'alert', 'alert_occurrence', 'alert_message', 'operator_action', 'idempotency_record'])
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
    for (const url of [`/console/orders/${ids.orderId}`, `/console/events/${ids.eventId}`, `/console/events/${ids.eventId}/json`])
      expectNone(url, (await kit.app.inject({ method: 'GET', url, headers: { host: 'x', cookie } })).body);
    expectNone('the timeline', JSON.stringify((await kit.call('GET', `/v1/orders/${ids.orderId}/timeline`)).body));
  });
});
