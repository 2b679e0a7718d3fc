import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { typeWordsOf } from '../../src/console/locales/event-types.js';
import { words } from '../../src/console/locales/words.js';
import { type Language, Scene } from './scene.js';

const SCREEN_AND_A_HALF = 780 * 1.5;

/** CONSOLE-BAR 9.15: a developer who has never seen the system, a message, a phone. Clicks are counted; typing is not a click. */
describe.each(['zh', 'en'] as Language[])('the five-minute test in %s, at 360 px', (language) => {
  const w = words[language];
  let scene: Scene;
  let page: Page;
  let foreign: string[];
  let event: { eventId: string; order: { id: string; orderNo: string } };
  let clicks = 0;
  const startedMs = Date.now();

  beforeAll(async () => {
    scene = await Scene.open();
    const [first] = await scene.parked('fred', 'gina', 'hans');
    if (!first) throw new Error('nothing is parked');
    event = first;
    await scene.until('the message', async () => scene.robotTexts.length > 0);
    ({ page, foreign } = await scene.visitor({ language }));
  }, 120_000);
  afterAll(() => scene.close());

  const click = async (selector: string): Promise<void> => {
    clicks += 1;
    await page.locator(selector).first().click();
    await page.waitForLoadState('load');
  };
  const counted = async (work: () => Promise<void>): Promise<number> => {
    const before = clicks;
    await work();
    return clicks - before;
  };
  const text = (): Promise<string> => page.locator('main').innerText();
  const top = async (selector: string): Promise<number> =>
    (await page.locator(selector).first().boundingBox())?.y ?? Number.POSITIVE_INFINITY;

  it('0. the message leads through the way in to exactly its event', async () => {
    const message = scene.robotTexts[0] ?? '';
    for (const part of [typeWordsOf('zh', 'ENERGY_CENTER_V2_CANCEL').name, event.order.orderNo, '结果未知'])
      expect(message).toContain(part);
    const link = /\]\((http[^)]+)\)/.exec(message)?.[1] ?? '';
    expect(new URL(link).search).toBe('');
    await page.goto(link);
    expect(page.url()).toContain('/console/sign-in');
    await page.fill('input[name=token]', await scene.token('operator'));
    await page.click('main button');
    await page.waitForURL(link);
    expect(page.url()).toBe(link);
    event = { ...event, eventId: link.split('/').at(-1) ?? '' };
  });

  it('1. what is wrong, for which order, since when, what of the points: no click, within a screen and a half', async () => {
    const shown = await text();
    for (const part of [
      typeWordsOf(language, 'ENERGY_CENTER_V2_CANCEL').name,
      w.unknown,
      w.moneyAndStock,
      '23.00',
      'PENDING',
      w.why,
    ])
      expect(shown).toContain(part);
    expect(shown).toMatch(/20\d{6}\d{7}/); // the order's number
    expect(shown).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    for (const selector of ['main .state', 'main dl', 'main .acts button', 'main .short pre'])
      expect(await top(selector), selector).toBeLessThan(SCREEN_AND_A_HALF);
    expect(await page.locator('main .acts button').first().innerText()).toBe(w.ask); // the recommended one is the first
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  it('2. the last request and answer are there; those of any attempt one click away', async () => {
    const shown = await page.locator('.short').innerText();
    expect(shown).toContain('energy.queryRefund');
    expect(shown).toContain('40402'); // its books do not show the refund that it made
    expect(await counted(() => click('#attempt-1 > summary'))).toBe(1);
    expect(await page.locator('#attempt-1').innerText()).toContain('energy.unPay');
  });

  it('3. only this order, or many: the number is there, the list one click away', async () => {
    const link = page.locator('main dl a[href*="cause="]').first();
    expect(await link.innerText()).toBe('3');
    expect(await counted(() => click('main dl a[href*="cause="]'))).toBe(1);
    expect(await page.locator('main tbody tr').count()).toBe(3);
    await page.goBack();
  });

  it('4. whether it was really done: one click asks the vendor, and the answer stays', async () => {
    scene.recover();
    expect(await counted(() => click(`form[action$="/${event.eventId}/ask"] button`))).toBe(1);
    // Below it stands how long ago that was, which goes on.
    const answer = async () => (await page.locator('main .note').first().innerText()).split('\n')[0];
    const first = await answer();
    expect(first).toContain('applied');
    await page.reload();
    expect(await answer()).toBe(first);
  });

  it('6. stop the bleeding: pause the vendor, with an end, in three clicks', async () => {
    const taken = await counted(async () => {
      await click('#more-acts > summary');
      const form = page.locator('form[action="/console/controls/pause"]', {
        has: page.locator('input[value=target]'),
      });
      await form.locator('input[name=reason]').fill('they deploy');
      clicks += 1;
      await form.locator('button').click();
      await page.waitForLoadState('load');
    });
    expect(taken).toBeLessThanOrEqual(3);
    const banner = await page.locator('.banner').innerText();
    expect(banner).toContain('they deploy');
    expect(banner).toContain(w.until);
    await page.goto(`${scene.url}/console/controls`);
    await page.locator('form[action="/console/controls/resume"] button').click();
    await page.waitForLoadState('load');
    expect(await page.locator('.banner').count()).toBe(0);
  });

  it('5. fix it: this one in two clicks, the whole group in four', async () => {
    await page.goto(`${scene.url}/console/events/${event.eventId}`);
    const one = await counted(async () => {
      await click('#more-acts > summary');
      await page.fill(`form[action$="/requeue"] input[name=reason]`, 'they are well again');
      await click('form[action$="/requeue"] button');
    });
    expect(one).toBeLessThanOrEqual(2);
    await scene.until(
      'handled',
      async () =>
        (await scene.call<{ status: string }>('GET', `/v1/events/${event.eventId}`)).body.status ===
        'handled',
    );
    const group = await counted(async () => {
      await page.goto(`${scene.url}/console/causes`);
      await click('main tbody a[href^="/console/causes/"]');
      await page.fill('form[action="/console/batches"] input[name=reason]', 'the whole group');
      await click('form[action="/console/batches"] button');
      expect(await text()).toContain(w.previewHelp);
      await click('form[action$="/execute"] button');
    });
    expect(group).toBeLessThanOrEqual(4);
    await scene.until(
      'the group',
      async () =>
        (await scene.call<{ data: unknown[] }>('GET', '/v1/events?status=errored')).body.data.length === 0,
    );
  });

  it('7. who did what: on the page of the event, and no word of it left the house', async () => {
    await page.goto(`${scene.url}/console/events/${event.eventId}`);
    const shown = await text();
    for (const part of ['zhang', 'requeue', 'they are well again', 'ask']) expect(shown).toContain(part);
    expect(foreign).toEqual([]);
    expect(Date.now() - startedMs).toBeLessThan(5 * 60_000);
  });
});
