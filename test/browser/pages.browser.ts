import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { words } from '../../src/console/locales/words.js';
import { sql } from '../../src/database/sql.js';
import { consolePages } from '../support/pages.js';
import { type Language, Scene, type Theme } from './scene.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = '"><script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'">';
const FIRST_VIEW_MAX_BYTES = 45 * 1024;

describe('every page', () => {
  let scene: Scene;
  let urls: { name: string; url: string }[];
  let event: { eventId: string; order: { id: string; orderNo: string } };

  beforeAll(async () => {
    scene = await Scene.open();
    const [first] = await scene.parked('ida', 'jon');
    if (!first) throw new Error('nothing is parked');
    event = first;
    const pages = await consolePages(scene.embedded.runtime.database);
    const distinct = [
      'overview',
      'events {}',
      'events {"state":"errored"}',
      'event',
      'event, compared',
      'orders',
      'order',
      'causes',
      'cause',
      'schedules',
      'controls',
      'audit',
      'search in vain',
      'runbook',
    ];
    urls = pages.filter(({ name }) => distinct.includes(name));
    await scene.call('POST', `/v1/events/${event.eventId}/ask`, {});
    await scene.call('POST', '/v1/pauses', {
      scope: 'type',
      name: 'WECOM_DINER_CARD',
      minutes: 30,
      reason: 'for a banner',
    });
    urls.push(
      { name: 'not found', url: '/console/events/99999999' },
      { name: 'search, several hits', url: `/console/search?q=${event.order.id}` },
    );
    expect(urls.length).toBe(distinct.length + 2);
  });
  afterAll(() => scene.close());

  const shapes = (['zh', 'en'] as Language[]).flatMap((language) =>
    (['light', 'dark'] as Theme[]).flatMap((theme) =>
      [360, 1280].map((width) => ({ language, theme, width })),
    ),
  );

  it.each(shapes)('axe finds nothing: $language, $theme, $width px', async (shape) => {
    const { context, page, foreign } = await scene.visitor(shape);
    const check = async (name: string): Promise<void> => {
      await page.evaluate(axe);
      const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      };
      expect(
        found.violations.map(
          ({ id, nodes }) => `${name}: ${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
        ),
      ).toEqual([]);
      expect(
        await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        `${name} is wider than the window`,
      ).toBe(true);
    };
    await page.goto(`${scene.url}/console/sign-in`);
    await check('sign-in');
    await scene.signIn(context);
    for (const { name, url } of urls) {
      await page.goto(`${scene.url}${url}`);
      await page.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })');
      await check(name);
    }
    expect(foreign).toEqual([]);
    await context.close();
  });

  it('without a script: search, read, act', async () => {
    const context = await scene.browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 360, height: 780 },
      locale: 'en-GB',
    });
    await scene.signIn(context);
    const page = await context.newPage();
    await page.goto(`${scene.url}/console/`);
    await page.fill('#q', event.order.orderNo);
    await page.click('.search button');
    expect(page.url()).toContain(`/console/orders/${event.order.id}`);
    await page.goto(`${scene.url}/console/events/${event.eventId}`);
    await page.click('#more-acts > summary');
    await page.fill('form[action$="/requeue"] input[name=reason]', 'without a script');
    await page.click('form[action$="/requeue"] button');
    await page.waitForLoadState('load');
    expect(await page.locator('main').innerText()).toContain('without a script');
    await scene.until(
      'errored again',
      async () =>
        (await scene.call<{ status: string }>('GET', `/v1/events/${event.eventId}`)).body.status ===
        'errored',
    );
    await context.close();
  });

  it('the first view is small: at most 45 KB compressed, at most six requests, nothing from elsewhere', async () => {
    const { context, page, foreign } = await scene.visitor({ language: 'zh' });
    await scene.signIn(context);
    let bytes = 0;
    let requests = 0;
    page.on('response', async (response) => {
      if (response.url().startsWith('data:')) return;
      requests += 1;
      bytes += gzipSync(await response.body().catch(() => Buffer.alloc(0))).length;
    });
    await page.goto(`${scene.url}/console/`, { waitUntil: 'networkidle' });
    expect(requests).toBeLessThanOrEqual(6);
    expect(bytes).toBeLessThan(FIRST_VIEW_MAX_BYTES);
    expect(foreign).toEqual([]);
    await context.close();
  });

  it('is there within a second on a slow phone: 4× slower, 1.6 Mbit/s', async () => {
    const { context, page } = await scene.visitor({ language: 'zh' });
    await scene.signIn(context);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 150,
      downloadThroughput: 200_000,
      uploadThroughput: 100_000,
    });
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await page.addInitScript(
      'window.lcp = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) window.lcp = one.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });',
    );
    await page.goto(`${scene.url}/console/`, { waitUntil: 'networkidle' });
    const lcp = (await page.evaluate('window.lcp')) as number;
    expect(lcp).toBeGreaterThan(0);
    expect(lcp).toBeLessThan(1_000);
    await context.close();
  });

  it('the filter is in the address: reload, back and forward show the same list', async () => {
    const { context, page } = await scene.visitor({ language: 'en', width: 1280 });
    await scene.signIn(context);
    await page.goto(`${scene.url}/console/events`);
    await page.selectOption('select[name=state]', 'unknown');
    await page.click('form.filters button');
    const url = page.url();
    const rows = await page.locator('main tbody').innerText();
    expect(new URL(url).searchParams.get('state')).toBe('unknown');
    await page.reload();
    expect((await page.locator('main tbody').innerText()).replace(/\d+ (s|min) ago/g, '')).toBe(
      rows.replace(/\d+ (s|min) ago/g, ''),
    );
    await page.click('nav a[href="/console/orders"]');
    await page.goBack();
    expect(page.url()).toBe(url);
    await page.goForward();
    expect(page.url()).toContain('/console/orders');
    await context.close();
  });

  it('news are offered with their number and move nothing; what is typed and open stays when they are shown', async () => {
    const { context, page } = await scene.visitor({ language: 'en', width: 1280 });
    await scene.signIn(context);
    const firstLook = page.waitForResponse((response) => response.request().resourceType() === 'fetch');
    await page.goto(`${scene.url}/console/events`);
    await (await firstLook).finished(); // before there is news
    const before = await page.locator('main tbody tr').count();
    await page.click('#more > summary');
    await page.fill('input[name=worker]', 'half-typ');
    await scene.order('kim');
    await page.waitForSelector('#news', { timeout: 15_000 });
    expect(await page.locator('#news').innerText()).toMatch(/^[1-9]\d* · /);
    expect(await page.locator('main tbody tr').count()).toBe(before);
    await page.click('#news');
    expect(await page.locator('main tbody tr').count()).toBeGreaterThan(before);
    expect(await page.inputValue('input[name=worker]')).toBe('half-typ');
    expect(await page.locator('#more').evaluate((one) => (one as unknown as { open: boolean }).open)).toBe(
      true,
    );
    await context.close();
  });

  it('an unchanged page costs a 304; a hidden tab asks nothing; refreshing can be paused', async () => {
    const { context, page } = await scene.visitor({ language: 'en', width: 1280 });
    await scene.signIn(context);
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.request().resourceType() === 'fetch' && response.url().includes('/console/'))
        statuses.push(response.status());
    });
    await page.clock.install();
    const firstLook = page.waitForResponse((response) => response.request().resourceType() === 'fetch');
    await page.goto(`${scene.url}/console/audit`);
    await (await firstLook).finished();
    const unchanged = page.waitForResponse(
      (response) => response.request().resourceType() === 'fetch' && response.status() === 304,
    );
    await page.clock.runFor(6_000); // longer than it waits for the next look
    await unchanged;
    await page.keyboard.press('r');
    await expect.poll(() => page.locator('#live').innerText()).toBe(words.en.paused);
    const seen = statuses.length;
    await page.clock.runFor(30_000);
    await page.evaluate('fetch("/livez").then((answer) => answer.text())'); // whatever it had asked would have been answered before
    expect(statuses.length).toBe(seen);
    await page.keyboard.press('r');
    await page.evaluate('Object.defineProperty(document, "hidden", { value: true })');
    const hidden = statuses.length;
    await page.clock.runFor(30_000);
    await page.evaluate('fetch("/livez").then((answer) => answer.text())');
    expect(statuses.length).toBe(hidden);
    await context.close();
  });

  it('keys do what a mouse does; off in inputs; copying works', async () => {
    const { context, page } = await scene.visitor({ language: 'en', width: 1280 });
    await scene.signIn(context);
    await page.goto(`${scene.url}/console/events`);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const first = await page.locator('main tbody tr a').first().getAttribute('href');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${scene.url}${first}`);
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await page.waitForURL(`${scene.url}/console/causes`);
    await page.keyboard.press('/');
    await page.keyboard.type('gs?');
    expect(await page.inputValue('#q')).toBe('gs?');
    await page.locator('footer button', { hasText: '?' }).click();
    expect(await page.locator('dialog').innerText()).toContain('search');
    await page.keyboard.press('Escape');
    await page.goto(`${scene.url}/console/events/${event.eventId}`);
    await page.locator('.short .copy').first().click();
    await expect.poll(() => page.locator('#live').innerText()).toBe(words.en.copied);
    await context.close();
  });

  it('hostile text in every stored field never runs', async () => {
    const { database } = scene.embedded.runtime;
    await database.execute(
      sql`UPDATE outbox_event SET last_error_message = ${hostile}, last_error_code = 'x<b>', cause = ${hostile}, claimed_by = ${hostile}, subject_no = ${'<i>1</i>'}, request_id = ${'<u>r'} WHERE id = ${event.eventId}`,
    );
    await database.execute(
      sql`UPDATE event_attempt SET error_message = ${hostile}, worker = ${hostile}, decision = ${hostile} WHERE event_id = ${event.eventId}`,
    );
    await database.execute(sql`UPDATE alert SET cause = ${hostile}, title = ${hostile}, known_at = NULL`);
    await database.execute(
      sql`UPDATE box_order SET dish_name = ${hostile}, address_id = ${'<s>a'} WHERE id = ${event.order.id}`,
    );
    await database.execute(sql`UPDATE operator_action SET reason = ${hostile}, actor = ${hostile}`);
    await database.execute(sql`UPDATE event_pause SET reason = ${hostile}, actor = ${hostile}`);
    await database.execute(
      sql`UPDATE order_step SET detail = ${JSON.stringify({ reason: hostile })} WHERE order_id = ${event.order.id}`,
    );
    await database.execute(sql`UPDATE process_heartbeat SET worker = ${hostile}, version = ${'<b>v'}`);
    const { context, page, foreign } = await scene.visitor({ language: 'en', width: 1280 });
    await scene.signIn(context);
    const failures: string[] = [];
    page.on('dialog', (dialog) => failures.push(dialog.message()));
    page.on('pageerror', (error) => failures.push(error.message));
    for (const { url } of [
      ...urls,
      { url: `/console/events?cause=${encodeURIComponent(hostile)}` },
      { url: `/console/search?q=${encodeURIComponent(hostile)}` },
    ]) {
      await page.goto(`${scene.url}${url}`);
      expect(await page.title()).not.toContain('pwned');
      expect(await page.locator('main img, main script').count(), url).toBe(0);
    }
    expect([failures, foreign]).toEqual([[], []]);
    await context.close();
  });
});
