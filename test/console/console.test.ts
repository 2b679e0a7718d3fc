import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raise } from '../../src/alerts/raise.js';
import { html } from '../../src/console/html.js';
import { typeWords, words } from '../../src/console/words.js';
import { now, sql } from '../../src/database/sql.js';
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
    headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'lunchbox.test', origin: 'http://lunchbox.test' },
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

  const get = (url: string, as: 'operator' | 'viewer' | null = 'operator', headers: Record<string, string> = {}) =>
    kit.app.inject({ method: 'GET', url, headers: { host: 'lunchbox.test', ...(as ? { cookie: cookie[as] } : {}), ...headers } });
  const formTokenOf = async (as: 'operator' | 'viewer') => /name="form" value="([0-9a-f]+)"/.exec((await get('/console/', as)).body)?.[1] ?? '';
  const post = async (url: string, fields: Record<string, string>, as: 'operator' | 'viewer' = 'operator', headers: Record<string, string> = {}) => {
    const sent = form({ form: await formTokenOf(as), ...fields });
    return kit.app.inject({ method: 'POST', url, payload: sent.payload, headers: { ...sent.headers, cookie: cookie[as], ...headers } });
  };

  const parked = (sub: string) => kit.parkedRefund(menu, sub);

  it('is closed: without a token every page leads to the way in, and back to where one was going', async () => {
    const answer = await get('/console/events/1', null);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/console/sign-in?to=%2Fconsole%2Fevents%2F1']);
    expect((await get('/console/sign-in?to=%2Fconsole%2Fevents%2F1', null)).body).toContain('name="to" value="/console/events/1"');
    expect((await get('/console/sign-in?to=https%3A%2F%2Fevil.example', null)).body).toContain('name="to" value="/console/"');
    expect((await kit.app.inject({ method: 'POST', url: '/console/sign-in', ...form({ token: 'nonsense' }) })).statusCode).toBe(401);
    expect((await kit.app.inject({ method: 'POST', url: '/console/sign-in', ...form({ token: await kit.token('u', 'user') }) })).statusCode).toBe(401);
    expect((await kit.app.inject({ method: 'POST', url: '/console/events/1/requeue', ...form({ reason: 'x' }) })).statusCode).toBe(401);
  });

  it('a cookie no script can read, a strict policy, no other origin', async () => {
    const answer = await kit.app.inject({ method: 'POST', url: '/console/sign-in', ...form({ token: await kit.token('x', 'viewer') }) });
    expect(answer.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Lax/);
    const page = await get('/console/');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'self'; script-src 'self';.*frame-ancestors 'none'$/);
    expect(page.body).not.toMatch(/(src|href|action)="(https?:)?\/\//);
    expect(page.body).not.toMatch(/<script>|style="|onclick=/);
    for (const [, file = ''] of page.body.matchAll(/"(\/console\/assets\/[^"]+)"/g)) expect((await get(file, null)).statusCode).toBe(200);
  });

  it('the overview counts, and every number is a link to a list with exactly that many rows', async () => {
    await parked('o1');
    const page = (await get('/console/')).body;
    const links = [...page.matchAll(/<a href="(\/console\/events\?state=(?:pending|retrying|unknown|errored)[^"]*)">(?:<span[^>]*>[^<]*<\/span><b>)?(\d+)/g)];
    expect(links.length).toBeGreaterThan(4);
    for (const [, href = '', count] of links) {
      const list = (await get(href.replace(/&amp;|&#38;/g, '&'))).body;
      expect([href, (list.match(/<tr><td><a href="\/console\/events\//g) ?? []).length]).toEqual([href, Number(count)]);
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
    for (const step of ['placed', 'paid', 'ordered', 'cancelled']) expect(story).toContain(step);
    expect(story).not.toContain('o2@example.com');
  });

  it('asks, keeps the answer, settles as done; a second click is told what is so now', async () => {
    const { id, orderId } = await parked('o3');
    expect((await post(`/console/events/${id}/ask`, {})).statusCode).toBe(303);
    expect((await get(`/console/events/${id}`)).body).toContain('applied: payment');
    expect((await post(`/console/events/${id}/settle-done`, { reason: '' })).statusCode).toBe(400);
    const both = await Promise.all([1, 2].map(() => post(`/console/events/${id}/settle-done`, { reason: 'I saw it' })));
    expect(both.map((answer) => answer.statusCode).sort()).toEqual([303, 409]);
    expect((await kit.read(orderId)).refund).toBe('DONE');
    const page = (await get(`/console/events/${id}`)).body;
    expect(page).toContain('I saw it');
    expect(page).not.toContain(`/console/events/${id}/requeue`); // what the state does not allow is not there
  });

  it('requeues and discards, each once and audited', async () => {
    const first = await parked('o4');
    expect((await post(`/console/events/${first.id}/requeue`, { reason: 'they are back' })).statusCode).toBe(303);
    await kit.settleAll();
    expect((await kit.read(first.orderId)).refund).toBe('DONE');
    const second = await parked('o5');
    expect((await post(`/console/events/${second.id}/discard`, { reason: 'paid in cash' })).statusCode).toBe(303);
    expect((await post(`/console/events/${second.id}/requeue`, { reason: 'no' })).statusCode).toBe(409);
    expect((await get('/console/audit')).body).toContain('paid in cash');
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
      expect((await post(`/console/controls/${act}`, { scope: 'type', name: 'MEICAN_V2_CANCEL', minutes: '5', reason: 'x' }, 'viewer')).statusCode).toBe(403);
    expect(await kit.database.query(sql`SELECT COUNT(*) AS n FROM operator_action`)).toEqual(before);
  });

  it('a form from another site, or without its token, is refused', async () => {
    const { id } = await parked('o7');
    const url = `/console/events/${id}/requeue`;
    expect((await post(url, { reason: 'x' }, 'operator', { origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await post(url, { reason: 'x' }, 'operator', { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
    expect((await post(url, { reason: 'x', form: 'guessed' })).statusCode).toBe(403);
    expect((await kit.call<{ status: string }>('GET', `/v1/events/${id}`)).body.status).toBe('errored');
  });

  it('pauses a vendor with an end: its events wait, the API goes on, everybody sees it', async () => {
    expect((await post('/console/controls/pause', { scope: 'target', name: 'meican', minutes: '30', reason: 'they asked us to' })).statusCode).toBe(303);
    expect((await post('/console/controls/pause', { scope: 'target', name: 'meican', minutes: '30', reason: 'again' })).statusCode).toBe(409);
    expect((await post('/console/controls/pause', { scope: 'target', name: 'nobody', minutes: '30', reason: 'x' })).statusCode).toBe(404);
    expect((await get('/console/')).body).toContain('they asked us to');
    const placed = await kit.order(menu, 'o8');
    expect(placed.status).toBe(201);
    await kit.runDue();
    const id = placed.body.orders[0]?.id ?? '';
    expect((await kit.read(id)).status).toBe('ORDERING');
    const event = await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER');
    expect(event.attempt).toBe(0);
    expect((await kit.call('GET', `/v1/events/${event.id}/why`)).body).toMatchObject({ code: 'paused', sentence: expect.stringContaining('they asked us to') });
    expect((await post('/console/controls/resume', { scope: 'target', name: 'meican' })).statusCode).toBe(303);
    await kit.runDue();
    expect((await kit.read(id)).status).toBe('ORDERED');
  });

  it('a pause ends by itself', async () => {
    await kit.call('POST', '/v1/pauses', { body: { scope: 'type', name: 'MEICAN_NEW_V2_ORDER', minutes: 1, reason: 'short' } });
    await kit.database.execute(sql`UPDATE event_pause SET until_at = ${now} WHERE ended_at IS NULL`);
    expect((await kit.ordered(menu, 'o9')).status).toBe('ORDERED');
    expect((await kit.call('GET', '/v1/pauses')).body).toEqual({ data: [] });
  });

  it('a whole group is requeued by way of a preview', async () => {
    const ids = [await parked('g1'), await parked('g2')].map(({ id }) => id);
    const [row] = await kit.database.query<{ cause: string }>(sql`SELECT cause FROM outbox_event WHERE id = ${ids[0] ?? ''}`);
    const list = (await get(`/console/events?state=errored&cause=${encodeURIComponent(row?.cause ?? '')}`)).body;
    expect(list).toContain('action="/console/batches"');
    const errored = await kit.database.query(sql`SELECT id FROM outbox_event WHERE status = 'errored' AND cause = ${row?.cause ?? ''}`);
    const preview = await post('/console/batches', { verb: 'requeue', cause: row?.cause ?? '', ratePerSecond: '50', reason: 'they are back' });
    const [, batch, token] = /batches\/(\d+)\/execute[\s\S]*?name="token" value="([0-9a-f]+)"/.exec(preview.body) ?? [];
    expect((await post(`/console/batches/${batch}/execute`, { token: token ?? '', count: String(errored.length) })).statusCode).toBe(303);
    await kit.pass(10);
    const done = (await get(`/console/batches/${batch}`)).body;
    expect(done).toContain(`${errored.length} / ${errored.length}`);
    for (const id of ids) expect((await kit.call<{ status: string }>('GET', `/v1/events/${id}`)).body.status).toBe('handled');
    expect((await post('/console/batches', { verb: 'requeue', ratePerSecond: '5', reason: 'everything' })).statusCode).toBe(400);
    expect((await post('/console/batches', { verb: 'requeue', type: 'X', ratePerSecond: '5', reason: 'x' }, 'viewer')).statusCode).toBe(403);
  });

  it('one box finds by order number, event, user, Meican order and request', async () => {
    const order = await kit.ordered(menu, 'findme');
    const found = async (text: string) => (await get(`/console/search?q=${encodeURIComponent(text)}`)).headers.location;
    expect(await found(order.orderNo)).toBe(`/console/orders/${order.id}`);
    expect(await found('findme')).toBe(`/console/orders/${order.id}`);
    expect(await found(order.meicanOrderId ?? '')).toBe(`/console/orders/${order.id}`);
    const [row] = await kit.database.query<{ request_id: string }>(sql`SELECT request_id FROM box_order WHERE id = ${order.id}`);
    expect((await get(`/console/search?q=${row?.request_id}`)).body).toContain('/console/events/');
    expect((await get('/console/search?q=%3Cscript%3E')).body).toContain('&#60;script&#62;');
  });

  it('hostile text stays text, wherever it comes from', async () => {
    const evil = '"><script>alert(1)</script>';
    await kit.database.transaction((tx) =>
      raise(tx, { groupKey: evil, kind: 'errored', title: evil, cause: evil, eventType: null, eventId: null, subjectId: null, subjectNo: evil }),
    );
    const { id } = await parked('o10');
    await kit.database.execute(sql`UPDATE outbox_event SET last_error_message = ${evil}, cause = ${evil} WHERE id = ${id}`);
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
    const idsOf = (body: string) => [...body.matchAll(/<tr><td><a href="\/console\/events\/(\d+)"/g)].map((match) => match[1]);
    const first = (await get('/console/events?type=OLD')).body;
    await kit.database.execute(sql`
      INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, created_at, settled_at) VALUES ('OLD', 'handled', '{}', 1, 'old:new', ${now}, ${now}, ${now})`);
    const next = /href="([^"]*before=\d+[^"]*)"/.exec(first)?.[1]?.replace(/&#38;|&amp;/g, '&') ?? '';
    const second = (await get(next)).body;
    const all = [...idsOf(first), ...idsOf(second)];
    expect([all.length, new Set(all).size]).toEqual([60, 60]);
  });
});

describe('the words', () => {
  it('are complete in both languages, and differ', () => {
    for (const key of Object.keys(words.zh) as (keyof typeof words.zh)[]) expect(words.en[key], key).toBeTruthy();
    expect(Object.keys(typeWords.en)).toEqual(Object.keys(typeWords.zh));
    for (const [type, zh] of Object.entries(typeWords.zh)) expect(typeWords.en[type]?.name).not.toBe(zh.name);
  });

  it('html escapes every value', () => {
    expect(html`<p title="${'"\'<&>`'}">${['<b>', html`<i>${'&'}</i>`]}${null}${false}</p>`.text).toBe(
      '<p title="&#34;&#39;&#60;&#38;&#62;&#96;">&#60;b&#62;<i>&#38;</i></p>',
    );
  });
});
