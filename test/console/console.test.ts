import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raise } from '../../src/alerts/raise.js';
import { html } from '../../src/console/html.js';
import { words } from '../../src/console/locales/words.js';
import { relative } from '../../src/console/parts/text.js';
import { now, sql } from '../../src/database/sql.js';
import { eventTypes } from '../../src/handlers/index.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('the console on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let cookie: Record<'operator' | 'viewer', string>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 100, capacity: 100 });
    cookie = { operator: await signedIn('operator'), viewer: await signedIn('viewer') };
  });
  afterAll(() => kit.close());

  const form = (fields: Record<string, string>) => ({
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      host: 'lunchbox.test',
      origin: 'http://lunchbox.test',
    },
    payload: new URLSearchParams(fields).toString(),
  });

  async function signedIn(role: 'operator' | 'viewer'): Promise<string> {
    const answer = await kit.app.inject({
      method: 'POST',
      url: '/console/sign-in',
      ...form({ token: await kit.token(`c-${role}`, role), to: '/console/events' }),
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/console/events']);
    return String(answer.headers['set-cookie']).split(';')[0] ?? '';
  }

  const get = (
    url: string,
    as: 'operator' | 'viewer' | null = 'operator',
    headers: Record<string, string> = {},
  ) =>
    kit.app.inject({
      method: 'GET',
      url,
      headers: { host: 'lunchbox.test', ...(as ? { cookie: cookie[as] } : {}), ...headers },
    });
  const formTokenOf = async (as: 'operator' | 'viewer') =>
    /name="form" value="([0-9a-f]+)"/.exec((await get('/console/', as)).body)?.[1] ?? '';
  const post = async (
    url: string,
    fields: Record<string, string>,
    as: 'operator' | 'viewer' = 'operator',
    headers: Record<string, string> = {},
  ) => {
    const sent = form({ form: await formTokenOf(as), ...fields });
    return kit.app.inject({
      method: 'POST',
      url,
      payload: sent.payload,
      headers: { ...sent.headers, cookie: cookie[as], ...headers },
    });
  };

  const parked = (sub: string) => kit.parkedRefund(menu, sub);

  it('is closed: without a token every page leads to the way in, and back to where one was going', async () => {
    const answer = await get('/console/events/1', null);
    expect([answer.statusCode, answer.headers.location]).toEqual([
      303,
      '/console/sign-in?to=%2Fconsole%2Fevents%2F1',
    ]);
    expect((await get('/console/sign-in?to=%2Fconsole%2Fevents%2F1', null)).body).toContain(
      'name="to" value="/console/events/1"',
    );
    expect((await get('/console/sign-in?to=https%3A%2F%2Fevil.example', null)).body).toContain(
      'name="to" value="/console/"',
    );
    expect(
      (await kit.app.inject({ method: 'POST', url: '/console/sign-in', ...form({ token: 'nonsense' }) }))
        .statusCode,
    ).toBe(401);
    expect(
      (
        await kit.app.inject({
          method: 'POST',
          url: '/console/sign-in',
          ...form({ token: await kit.token('u', 'user') }),
        })
      ).statusCode,
    ).toBe(401);
    expect(
      (await kit.app.inject({ method: 'POST', url: '/console/events/1/requeue', ...form({ reason: 'x' }) }))
        .statusCode,
    ).toBe(401);
  });

  it('a cookie no script can read, a strict policy, no other origin', async () => {
    const answer = await kit.app.inject({
      method: 'POST',
      url: '/console/sign-in',
      ...form({ token: await kit.token('x', 'viewer') }),
    });
    expect(answer.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Lax/);
    const page = await get('/console/');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'self'; script-src 'self';.*frame-ancestors 'none'$/,
    );
    expect(page.body).not.toMatch(/(src|href|action)="(https?:)?\/\//);
    expect(page.body).not.toMatch(/<script>|style="|onclick=/);
    for (const [, file = ''] of page.body.matchAll(/"(\/console\/assets\/[^"]+)"/g))
      expect((await get(file, null)).statusCode).toBe(200);
  });

  it('the overview counts, and every number is a link to a list with exactly that many rows', async () => {
    await parked('o1');
    const page = (await get('/console/')).body;
    const links = [
      ...page.matchAll(
        /<a href="(\/console\/events\?state=(?:pending|retrying|unknown|errored)[^"]*)">(?:<span[^>]*>[^<]*<\/span><b>)?(\d+)/g,
      ),
    ];
    expect(links.length).toBeGreaterThan(4);
    for (const [, href = '', count] of links) {
      const list = (await get(href.replace(/&amp;|&#38;/g, '&'))).body;
      expect([href, (list.match(/<tr><td><a href="\/console\/events\//g) ?? []).length]).toEqual([
        href,
        Number(count),
      ]);
    }
    expect(page).toContain('需要你处理');
    expect((await get('/console/', 'operator', { 'accept-language': 'en' })).body).toContain('need you');
  });

  it('the event’s page says why, what the last attempt asked and heard, how many share the cause, and what to do first', async () => {
    const { id, orderId } = await parked('o2');
    const page = (await get(`/console/events/${id}`, 'operator', { 'accept-language': 'en' })).body;
    expect(page).toContain('Nobody knows whether the vendor did it');
    expect(page).toContain(`/console/orders/${orderId}`);
    expect(page.indexOf('/ask"')).toBeLessThan(page.indexOf('/requeue"')); // an unknown outcome is asked about first
    expect(page).toMatch(/energy\.unPay/);
    expect(page).toContain('&#34;outRefundNo&#34;');
    expect(page).toMatch(/state=errored&amp;cause=[^"]+">\d+</);
    const story = (await get(`/console/orders/${orderId}`)).body;
    for (const step of ['下单：占用库存', '已付款', '美餐已接单', '取消']) expect(story).toContain(step);
    expect(story).not.toContain('o2@example.com');
  });

  it('asks, keeps the answer, settles as done; a second click is told what is so now', async () => {
    const { id, orderId } = await parked('o3');
    expect((await post(`/console/events/${id}/ask`, {})).statusCode).toBe(303);
    expect((await get(`/console/events/${id}`)).body).toContain('applied: payment');
    expect((await post(`/console/events/${id}/settle-done`, { reason: '' })).statusCode).toBe(400);
    const both = await Promise.all(
      [1, 2].map(() => post(`/console/events/${id}/settle-done`, { reason: 'I saw it' })),
    );
    expect(both.map((answer) => answer.statusCode).sort()).toEqual([303, 409]);
    expect((await kit.read(orderId)).refund).toBe('DONE');
    const page = (await get(`/console/events/${id}`)).body;
    expect(page).toContain('I saw it');
    expect(page).not.toContain(`/console/events/${id}/requeue`); // what the state does not allow is not there
  });

  it('requeues and discards, each once and audited', async () => {
    const first = await parked('o4');
    expect((await post(`/console/events/${first.id}/requeue`, { reason: 'they are back' })).statusCode).toBe(
      303,
    );
    await kit.settleAll();
    expect((await kit.read(first.orderId)).refund).toBe('DONE');
    expect((await get(`/console/events/${first.id}`)).body).toMatch(
      /id="attempt-4"><summary>[^<]*重新执行，操作人 c-operator</,
    );
    expect((await get(`/console/events/${first.id}`)).body).not.toMatch(
      /id="attempt-3"><summary>[^<]*c-operator/,
    );
    const second = await parked('o5');
    // The diner's points are owed: the page says so instead of a button, and the act is refused with the same words.
    const page = (await get(`/console/events/${second.id}`)).body;
    expect(page).not.toContain(`/console/events/${second.id}/discard`);
    expect(page).toContain('points are still owed');
    const refused = await post(`/console/events/${second.id}/discard`, { reason: 'paid in cash' });
    expect([refused.statusCode, refused.body.includes('points are still owed')]).toEqual([409, true]);
    expect((await get('/console/audit')).body).not.toContain('paid in cash');
    const third = await kit.ordered(menu, 'o5b');
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'ORDER_CLOSED', times: 1 });
    await kit.cancel(third.id, 'o5b');
    const lost = await kit.eventOf(third.id, 'MEICAN_V2_CANCEL');
    expect(
      (await post(`/console/events/${lost.id}/discard`, { reason: 'we pay for this one' })).statusCode,
    ).toBe(303);
    expect((await post(`/console/events/${lost.id}/requeue`, { reason: 'no' })).statusCode).toBe(409);
    expect((await get('/console/audit')).body).toContain('we pay for this one');
    expect((await post('/console/events/999999/requeue', { reason: 'x' })).statusCode).toBe(404);
    expect((await post(`/console/events/${second.id}/dance`, { reason: 'x' })).statusCode).toBe(404);
  });

  it('a viewer sees every page and changes nothing', async () => {
    const { id, orderId } = await parked('o6');
    const before = await kit.database.query(sql`SELECT COUNT(*) AS n FROM operator_action`);
    for (const url of [
      '/console/',
      '/console/events',
      `/console/events/${id}`,
      '/console/orders',
      `/console/orders/${orderId}`,
      '/console/causes',
      '/console/controls',
      '/console/audit',
    ]) {
      const page = await get(url, 'viewer');
      expect([url, page.statusCode]).toEqual([url, 200]);
      expect(page.body).not.toMatch(/action="\/console\/(events|controls)\//);
    }
    for (const act of ['ask', 'requeue', 'discard', 'settle-done', 'settle-not-done'])
      expect((await post(`/console/events/${id}/${act}`, { reason: 'x' }, 'viewer')).statusCode).toBe(403);
    for (const act of ['pause', 'resume'])
      expect(
        (
          await post(
            `/console/controls/${act}`,
            { scope: 'type', name: 'MEICAN_V2_CANCEL', minutes: '5', reason: 'x' },
            'viewer',
          )
        ).statusCode,
      ).toBe(403);
    expect(await kit.database.query(sql`SELECT COUNT(*) AS n FROM operator_action`)).toEqual(before);
  });

  it('a form from another site, or without its token, is refused', async () => {
    const { id } = await parked('o7');
    const url = `/console/events/${id}/requeue`;
    expect(
      (await post(url, { reason: 'x' }, 'operator', { origin: 'https://evil.example' })).statusCode,
    ).toBe(403);
    expect(
      (await post(url, { reason: 'x' }, 'operator', { 'sec-fetch-site': 'cross-site' })).statusCode,
    ).toBe(403);
    expect((await post(url, { reason: 'x', form: 'guessed' })).statusCode).toBe(403);
    expect((await kit.call<{ status: string }>('GET', `/v1/events/${id}`)).body.status).toBe('errored');
  });

  it('pauses a vendor with an end: its events wait, the API goes on, everybody sees it', async () => {
    expect(
      (
        await post('/console/controls/pause', {
          scope: 'target',
          name: 'meican',
          minutes: '30',
          reason: 'they asked us to',
        })
      ).statusCode,
    ).toBe(303);
    expect(
      (
        await post('/console/controls/pause', {
          scope: 'target',
          name: 'meican',
          minutes: '30',
          reason: 'again',
        })
      ).statusCode,
    ).toBe(409);
    expect(
      (await post('/console/controls/pause', { scope: 'target', name: 'nobody', minutes: '30', reason: 'x' }))
        .statusCode,
    ).toBe(404);
    expect((await get('/console/')).body).toContain('they asked us to');
    const placed = await kit.order(menu, 'o8');
    expect(placed.status).toBe(201);
    await kit.runDue();
    const id = placed.body.orders[0]?.id ?? '';
    expect((await kit.read(id)).status).toBe('ORDERING');
    const event = await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER');
    expect(event.attempt).toBe(0);
    expect((await kit.call('GET', `/v1/events/${event.id}/why`)).body).toMatchObject({
      code: 'paused',
      sentence: expect.stringContaining('they asked us to'),
    });
    expect((await post('/console/controls/resume', { scope: 'target', name: 'meican' })).statusCode).toBe(
      303,
    );
    await kit.runDue();
    expect((await kit.read(id)).status).toBe('ORDERED');
  });

  it('a pause ends by itself', async () => {
    await kit.call('POST', '/v1/pauses', {
      body: { scope: 'type', name: 'MEICAN_NEW_V2_ORDER', minutes: 1, reason: 'short' },
    });
    await kit.database.execute(sql`UPDATE event_pause SET until_at = ${now} WHERE ended_at IS NULL`);
    expect((await kit.ordered(menu, 'o9')).status).toBe('ORDERED');
    expect((await kit.call('GET', '/v1/pauses')).body).toEqual({ data: [] });
  });

  it('a whole group is requeued by way of a preview', async () => {
    const ids = [await parked('g1'), await parked('g2')].map(({ id }) => id);
    const [row] = await kit.database.query<{ cause: string }>(
      sql`SELECT cause FROM outbox_event WHERE id = ${ids[0] ?? ''}`,
    );
    const list = (await get(`/console/events?state=errored&cause=${encodeURIComponent(row?.cause ?? '')}`))
      .body;
    expect(list).toContain('action="/console/batches"');
    const errored = await kit.database.query(
      sql`SELECT id FROM outbox_event WHERE status = 'errored' AND cause = ${row?.cause ?? ''}`,
    );
    const preview = await post('/console/batches', {
      verb: 'requeue',
      cause: row?.cause ?? '',
      ratePerSecond: '50',
      reason: 'they are back',
    });
    const [, batch, token] =
      /batches\/(\d+)\/execute[\s\S]*?name="token" value="([0-9a-f]+)"/.exec(preview.body) ?? [];
    expect(
      (await post(`/console/batches/${batch}/execute`, { token: token ?? '', count: String(errored.length) }))
        .statusCode,
    ).toBe(303);
    await kit.pass(10);
    const done = (await get(`/console/batches/${batch}`)).body;
    expect(done).toContain(`${errored.length} / ${errored.length}`);
    for (const id of ids)
      expect((await kit.call<{ status: string }>('GET', `/v1/events/${id}`)).body.status).toBe('handled');
    expect(
      (await post('/console/batches', { verb: 'requeue', ratePerSecond: '5', reason: 'everything' }))
        .statusCode,
    ).toBe(400);
    expect(
      (
        await post(
          '/console/batches',
          { verb: 'requeue', type: 'X', ratePerSecond: '5', reason: 'x' },
          'viewer',
        )
      ).statusCode,
    ).toBe(403);
  });

  it('one box finds by order number, event, user, Meican order and request', async () => {
    const order = await kit.ordered(menu, 'findme');
    const found = async (text: string) =>
      (await get(`/console/search?q=${encodeURIComponent(text)}`)).headers.location;
    expect(await found(order.orderNo)).toBe(`/console/orders/${order.id}`);
    expect(await found('findme')).toBe(`/console/orders/${order.id}`);
    expect(await found(order.meicanOrderId ?? '')).toBe(`/console/orders/${order.id}`);
    const [row] = await kit.database.query<{ request_id: string }>(
      sql`SELECT request_id FROM box_order WHERE id = ${order.id}`,
    );
    expect((await get(`/console/search?q=${row?.request_id}`)).body).toContain('/console/events/');
    expect((await get('/console/search?q=%3Cscript%3E')).body).toContain('&#60;script&#62;');
  });

  it('hostile text stays text, wherever it comes from', async () => {
    const evil = '"><script>alert(1)</script>';
    await kit.database.transaction((tx) =>
      raise(tx, {
        groupKey: evil,
        kind: 'errored',
        title: evil,
        cause: evil,
        eventType: null,
        eventId: null,
        subjectId: null,
        subjectNo: evil,
      }),
    );
    const { id } = await parked('o10');
    await kit.database.execute(
      sql`UPDATE outbox_event SET last_error_message = ${evil}, cause = ${evil} WHERE id = ${id}`,
    );
    for (const url of ['/console/causes', `/console/events/${id}`, '/console/events?state=errored'])
      expect((await get(url)).body).not.toContain('<script>alert');
  });

  it('a page that has not changed costs a 304', async () => {
    const first = await get('/console/audit');
    const again = await get('/console/audit', 'operator', { 'if-none-match': String(first.headers.etag) });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it('pages by id never repeat or skip a row while rows are added', async () => {
    for (let i = 0; i < 60; i++)
      await kit.database.execute(sql`
        INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, created_at, settled_at) VALUES ('OLD', 'handled', '{}', 1, ${`old:${i}`}, ${now}, ${now}, ${now})`);
    const idsOf = (body: string) =>
      [...body.matchAll(/<tr><td><a href="\/console\/events\/(\d+)"/g)].map((match) => match[1]);
    const first = (await get('/console/events?type=OLD')).body;
    await kit.database.execute(sql`
      INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, created_at, settled_at) VALUES ('OLD', 'handled', '{}', 1, 'old:new', ${now}, ${now}, ${now})`);
    const next = /href="([^"]*before=\d+[^"]*)"/.exec(first)?.[1]?.replace(/&#38;|&amp;/g, '&') ?? '';
    const second = (await get(next)).body;
    const all = [...idsOf(first), ...idsOf(second)];
    expect([all.length, new Set(all).size]).toEqual([60, 60]);
  });
  it('a cause: how often, since when, whom it hit, what was answered, and all of it again from there', async () => {
    const { id, orderId } = await parked('k1');
    const [row] = await kit.database.query<{ id: unknown }>(
      sql`SELECT a.id FROM alert a JOIN outbox_event e ON e.cause = a.group_key WHERE e.id = ${id}`,
    );
    const url = `/console/causes/${String(row?.id)}`;
    expect((await get('/console/causes')).body).toContain(`href="${url}"`);
    const page = (await get(url, 'operator', { 'accept-language': 'en' })).body;
    for (const part of [
      `/console/orders/${orderId}`,
      `/console/events/${id}`,
      'energy.unPay',
      'first seen by this build',
      'Last 24 hours',
      '/console/runbooks/',
      'action="/console/batches"',
    ])
      expect(page).toContain(part);
    expect((await get(url, 'viewer')).body).not.toContain('<form class="filters"');
    expect((await get('/console/runbooks/outcome-unknown')).body).toContain('cli.js');
    expect((await get('/console/runbooks/..%2f..%2fpackage')).statusCode).toBe(404);
    expect((await get('/console/causes/999999')).statusCode).toBe(404);
  });

  it('a known cause: said once, audited, until it is no longer', async () => {
    const { id } = await parked('k2');
    const [row] = await kit.database.query<{ id: unknown }>(
      sql`SELECT a.id FROM alert a JOIN outbox_event e ON e.cause = a.group_key WHERE e.id = ${id}`,
    );
    const url = `/console/causes/${String(row?.id)}`;
    expect((await post(`${url}/know`, { reason: 'they deploy until four' })).statusCode).toBe(303);
    expect((await post(`${url}/know`, { reason: 'again' })).statusCode).toBe(409);
    expect((await get(url)).body).toContain('they deploy until four');
    expect((await get('/console/causes')).body).toContain('>已知<');
    expect(
      (await kit.call<{ data: { id: string; state: string }[] }>('GET', '/v1/causes')).body.data.find(
        (one) => one.id === String(row?.id),
      )?.state,
    ).toBe('known');
    expect((await post(`${url}/unknow`, { reason: 'they are done' })).statusCode).toBe(303);
    expect(
      (await kit.call('POST', `/v1/causes/${String(row?.id)}/unknow`, { body: { reason: 'x' } })).status,
    ).toBe(409);
    expect((await get('/console/audit')).body).toContain('they deploy until four');
    expect(
      (await kit.call<{ data: { verb: string; ip: string | null }[] }>('GET', '/v1/audit')).body.data.slice(
        0,
        2,
      ),
    ).toMatchObject([
      { verb: 'unknow', ip: '127.0.0.1' },
      { verb: 'know', ip: '127.0.0.1' },
    ]);
  });

  it('schedules say when they ran and run next; run now does, once a second, audited', async () => {
    const page = (await get('/console/schedules', 'operator', { 'accept-language': 'en' })).body;
    for (const part of ['Compares yesterday', 'Deletes what is past', 'Sweep', 'payment guard'])
      expect(page).toContain(part);
    expect((await get('/console/schedules', 'viewer')).body).not.toContain('/run"');
    expect((await post('/console/schedules/housekeeping/run', {})).statusCode).toBe(303);
    expect((await post('/console/schedules/nothing/run', {})).statusCode).toBe(404);
    const [event] = await kit.events('&type=HOUSEKEEPING');
    await kit.runDue();
    expect((await kit.call<{ status: string }>('GET', `/v1/events/${event?.id}`)).body.status).toBe(
      'handled',
    );
    expect((await get('/console/schedules')).body).toContain(`/console/events/${event?.id}`);
    expect((await post('/console/schedules/books/run', {})).statusCode).toBe(303);
    expect(await kit.events('&type=BOOKS_COMPARE')).toHaveLength(3);
    await kit.runDue();
  });

  it('name and e-mail: masked for everybody, one audited click for an operator', async () => {
    const { orderId } = await parked('k3');
    expect((await get(`/console/orders/${orderId}`)).body).not.toContain('k3@example.com');
    expect((await get(`/console/orders/${orderId}`, 'viewer')).body).not.toContain('/reveal');
    const shown = (await post(`/console/orders/${orderId}/reveal`, {})).body;
    expect(shown).toContain('k3@example.com');
    expect(shown).toContain('Name of k3');
    expect(
      (await kit.call('POST', `/v1/orders/${orderId}/reveal`, { as: 'v', role: 'viewer', body: {} })).status,
    ).toBe(403);
    const acts = await kit.database.query(
      sql`SELECT id FROM operator_action WHERE verb = 'reveal' AND target_id = ${orderId}`,
    );
    expect(acts).toHaveLength(1);
    expect(
      (
        await kit.call<{ timeline: { kind: string; what: string }[] }>(
          'GET',
          `/v1/orders/${orderId}/timeline`,
        )
      ).body.timeline,
    ).toContainEqual(expect.objectContaining({ kind: 'operator-action', what: 'reveal' }));
  });

  it('an export is what the page shows, as a file, audited; a formula stays a text', async () => {
    const { id } = await parked('k4');
    await kit.database.execute(sql`UPDATE outbox_event SET last_error_code = '=1+1' WHERE id = ${id}`);
    const csv = await post('/console/events/export', { format: 'csv', query: 'state=unknown' });
    expect([csv.statusCode, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    const line = csv.body.split('\r\n').find((one) => one.startsWith(`${id},`));
    expect(line).toContain(",'=1+1,");
    const nd = await post('/console/events/export', { format: 'ndjson', query: 'state=unknown' });
    expect(
      nd.body
        .trim()
        .split('\n')
        .map((one) => (JSON.parse(one) as { id: string }).id),
    ).toContain(id);
    expect(csv.body).not.toContain('example.com');
    const [act] = await kit.database.query<{ state_after: string }>(
      sql`SELECT state_after FROM operator_action WHERE verb = 'export' ORDER BY id DESC LIMIT 1`,
    );
    expect(act?.state_after).toContain('state=unknown');
  });

  it('why an order is where it is, in API and page; what a vendor was asked is part of its story', async () => {
    const { id, orderId } = await parked('y1');
    const answer = await kit.call<{ events: { id: string; code: string; sentence: string }[] }>(
      'GET',
      `/v1/orders/${orderId}/why`,
    );
    expect(answer.body.events).toMatchObject([
      { id, code: 'errored', sentence: expect.stringContaining('Nobody knows') },
    ]);
    expect((await get(`/console/orders/${orderId}`)).body).toContain('没人知道对方是否已做');
    await post(`/console/events/${id}/ask`, {});
    expect((await get(`/console/orders/${orderId}`)).body).toContain('applied: ');
    await post(`/console/events/${id}/settle-done`, { reason: 'asked' });
    expect((await kit.call<{ events: unknown[] }>('GET', `/v1/orders/${orderId}/why`)).body.events).toEqual(
      [],
    );
    expect((await get(`/console/orders/${orderId}`)).body).toContain('没有未完成的事件');
    expect((await kit.call('GET', '/v1/orders/999999/why')).status).toBe(404);
  });

  it('a filter is an address; a saved view is for everybody', async () => {
    expect(
      (
        await post('/console/views', {
          name: '卡住的退款',
          query: 'state=unknown&type=ENERGY_CENTER_V2_CANCEL&junk=1',
        })
      ).statusCode,
    ).toBe(303);
    expect((await post('/console/views', { name: '卡住的退款', query: 'state=errored' })).statusCode).toBe(
      400,
    );
    const page = (await get('/console/events', 'viewer')).body;
    expect(page).toContain(
      'href="/console/events?state=unknown&#38;type=ENERGY_CENTER_V2_CANCEL">卡住的退款</a>',
    );
    for (const name of ['需要处理', '结果未知', '今天失败', '卡住超过 5 分钟']) expect(page).toContain(name);
    const [view] = await kit.database.query<{ id: unknown }>(sql`SELECT id FROM console_view`);
    expect((await post(`/console/views/${String(view?.id)}/remove`, {})).statusCode).toBe(303);
    expect((await get('/console/events?state=nonsense&attempts=abc&from=never&before=xyz')).statusCode).toBe(
      200,
    );
  });

  it('filters find by target, attempts, process, payload and time, and say how far they looked', async () => {
    const { id, orderId } = await parked('k5');
    const [row] = await kit.database.query<{ claimed_by: string; subject_no: string }>(
      sql`SELECT claimed_by, subject_no FROM outbox_event WHERE id = ${id}`,
    );
    const has = async (query: Record<string, string>) =>
      (await get(`/console/events?${new URLSearchParams(query)}`)).body.includes(
        `<a href="/console/events/${id}">`,
      );
    expect(await has({ target: 'energy', state: 'unknown' })).toBe(true);
    expect(await has({ target: 'meican', state: 'unknown' })).toBe(false);
    expect(await has({ state: 'unknown', attempts: '3' })).toBe(true);
    expect(await has({ state: 'unknown', attempts: '99' })).toBe(false);
    expect(await has({ state: 'errored', payload: `"orderId":"${orderId}"` })).toBe(true);
    expect(await has({ state: 'errored', payload: 'o\\%' })).toBe(false);
    expect(await has({ state: 'errored', from: '2001-01-01T00:00' })).toBe(true);
    expect(await has({ state: 'errored', to: '2001-01-01T00:00' })).toBe(false);
    expect(await has({ to: '2001-01-01T00:00' })).toBe(false);
    expect(await has({ state: 'errored', settled: '5' })).toBe(true);
    if (row?.claimed_by) expect(await has({ state: 'errored', worker: row.claimed_by })).toBe(true);
    expect((await get('/console/events?payload=x')).body).toContain('只查看了最新的');
  });

  it('answers of two attempts are compared; a call can be repeated from a terminal without its secrets; the story is a file', async () => {
    const { id } = await parked('k6');
    const page = (await get(`/console/events/${id}?compare=1`)).body;
    expect(page).toContain('id="compare"');
    expect(page).toMatch(/curl -X POST &#34;\$BASE_URL&#34;/);
    expect(page).not.toContain(kit.runtime.settings.ENERGY_APP_SECRET);
    const file = await get(`/console/events/${id}/json`);
    expect([file.headers['content-disposition'], JSON.parse(file.body).id]).toEqual([
      `attachment; filename="event-${id}.json"`,
      id,
    ]);
  });

  it('the loser of a race is told who was faster; an event past its retention leaves what people did', async () => {
    const { id } = await parked('k7');
    await post(`/console/events/${id}/settle-done`, { reason: 'first' });
    const second = await post(`/console/events/${id}/settle-done`, { reason: 'second' });
    expect([second.statusCode, second.body.includes('c-operator')]).toEqual([409, true]);
    await kit.database.execute(sql`DELETE FROM event_attempt WHERE event_id = ${id}`);
    await kit.database.execute(sql`DELETE FROM outbox_event WHERE id = ${id}`);
    const gone = await get(`/console/events/${id}`);
    expect([gone.statusCode, gone.body.includes('first')]).toEqual([410, true]);
    expect((await get('/console/events/99999999')).statusCode).toBe(404);
  });

  it('the story of an order tells the lock, and what the stock was before and after', async () => {
    const { orderId } = await parked('k8');
    const { timeline } = (
      await kit.call<{ timeline: { what: string; detail: Record<string, unknown> }[] }>(
        'GET',
        `/v1/orders/${orderId}/timeline`,
      )
    ).body;
    const detailOf = (what: string) => timeline.find((entry) => entry.what === what)?.detail;
    expect(detailOf('placed')).toMatchObject({
      lock: { held: true, waitedMs: expect.any(Number) },
      idempotencyKey: expect.any(String),
    });
    expect(detailOf('cancelled')).toMatchObject({ lock: { held: true } });
    const taken = (detailOf('paid') as { stock: { dish: { before: number; after: number } } }).stock.dish;
    const back = (detailOf('stock-released') as { dish: { before: number; after: number } }).dish;
    expect([taken.before - taken.after, back.after - back.before]).toEqual([1, 1]);
    expect(back.after).toBe((await kit.stockOf(menu)).dish);
  });

  it('below a path of a proxy every link begins with it', async () => {
    const prefixed = await Kit.create(kind, { CONSOLE_PREFIX: '/canteen' });
    const token = await prefixed.token('p', 'operator');
    const answer = await prefixed.app.inject({
      method: 'GET',
      url: '/console/',
      headers: { host: 'x', cookie: `lunchbox_session=${token}` },
    });
    expect(answer.body).not.toMatch(/(href|action|src)="\/console/);
    expect(answer.body).toContain('href="/canteen/console/events"');
    const out = await prefixed.app.inject({
      method: 'GET',
      url: '/console/events/1',
      headers: { host: 'x' },
    });
    expect(out.headers.location).toBe('/canteen/console/sign-in?to=%2Fconsole%2Fevents%2F1');
    await prefixed.close();
  });

  it('one box finds by payment and refund number and by trace, too', async () => {
    const { orderId } = await parked('k9');
    const order = await kit.read(orderId);
    const found = async (text: string) =>
      (await get(`/console/search?q=${encodeURIComponent(text)}`)).headers.location;
    expect(await found(`P${order.orderNo}`)).toBe(`/console/orders/${orderId}`);
    expect(await found(`R${order.orderNo}`)).toBe(`/console/orders/${orderId}`);
    const [row] = await kit.database.query<{ traceparent: string }>(
      sql`SELECT traceparent FROM outbox_event WHERE subject_id = ${orderId} ORDER BY id LIMIT 1`,
    );
    const trace = row?.traceparent.split('-')[1] ?? '';
    expect(
      (await get(`/console/search?q=${trace}`)).body +
        String((await get(`/console/search?q=${trace}`)).headers.location),
    ).toContain('/console/events/');
  });
});

describe('the words', () => {
  it('are complete in both languages, and differ', () => {
    for (const key of Object.keys(words.zh) as (keyof typeof words.zh)[])
      expect(words.en[key], key).toBeTruthy();
    for (const { type, words: of } of eventTypes) expect(of.en.name, type).not.toBe(of.zh.name);
  });

  it('whatever a vendor answers is shown exactly: large numbers, Chinese, emoji, tags', () => {
    const back = (shown: string): string =>
      shown.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 500 }),
        (given) => back(html`${given}`.text) === given.replaceAll('\0', '\ufffd'),
      ),
    );
    for (const given of [
      '{"id":9007199254740993123}',
      '宫保鸡丁 🍱',
      '</script><script>',
      'x'.repeat(1_000_000),
    ])
      expect(back(html`${given}`.text)).toBe(given);
  });

  it('no length of time is negative', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e10, max: 1e10 }),
        fc.constantFrom('zh' as const, 'en' as const),
        (ms, language) => !relative(ms, language).includes('-'),
      ),
    );
  });

  it('html escapes every value', () => {
    expect(html`<p title="${'"\'<&>`'}">${['<b>', html`<i>${'&'}</i>`]}${null}${false}</p>`.text).toBe(
      '<p title="&#34;&#39;&#60;&#38;&#62;&#96;">&#60;b&#62;<i>&#38;</i></p>',
    );
  });
});
