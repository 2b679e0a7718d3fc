import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
// @ts-expect-error plain JavaScript
import { findChromium } from '../../scripts/chromium.mjs';
import { createLogger } from '../../src/app/logging.js';
import { loadSettings } from '../../src/app/settings.js';
import { businessDay } from '../../src/base/clock.js';
import { sql } from '../../src/database/sql.js';
import {
  demoDay,
  demoGarden,
  type Embedded,
  embeddedFallback,
  startEmbedded,
  tokenFor,
} from '../../src/dev/embedded.js';
import type { FaultRule } from '../../src/dev/sandbox/faults.js';
import { getMenu } from '../../src/orders/menu.js';
import type { OrderView } from '../../src/orders/view.js';
import { freePort } from '../support/free-port.js';

export type Language = 'zh' | 'en';
export type Theme = 'light' | 'dark';

/** Short waits, so that three failures take a moment; the sweep as in production. */
const quick = {
  LOG_LEVEL: 'silent',
  RETRY_DELAY_MS: 100,
  MEICAN_SETTLE_MS: 100,
  MEICAN_TIMEOUT_MS: 500,
  ENERGY_TIMEOUT_MS: 500,
  PAYMENT_WINDOW_MS: 5_000,
  INLINE_BUDGET_MS: 200,
};

/** A whole lunchbox with its sandbox, as `npm start` runs it, and a browser to look at it. */
export class Scene {
  private constructor(
    readonly embedded: Embedded,
    readonly browser: Browser,
    readonly url: string,
    private readonly directory: string,
  ) {}

  static async open(): Promise<Scene> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-browser-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const embedded = await startEmbedded(
      loadSettings({
        env: {},
        fallback: {
          ...embeddedFallback(directory),
          ...quick,
          PORT: port,
          SANDBOX_PORT: await freePort(),
          PUBLIC_URL: url,
        },
      }),
      { PUBLIC_URL: url },
      createLogger('silent', 'browser'),
    );
    const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
    return new Scene(embedded, browser, url, directory);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.embedded.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  fault(...rules: FaultRule[]): void {
    this.embedded.sandbox?.faults.add(rules);
  }

  recover(): void {
    this.embedded.sandbox?.faults.clear();
  }

  get robotTexts(): string[] {
    return (this.embedded.sandbox?.ledger.books.robotMessages ?? []).map(
      (message) => (message.content as { markdown: { content: string } }).markdown.content,
    );
  }

  token(role: 'viewer' | 'operator', sub = 'zhang'): Promise<string> {
    return tokenFor(this.embedded.runtime.settings, sub, role);
  }

  async call<T>(
    method: string,
    url: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.url}${url}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.token('operator', 'gateway')}`,
        ...(key ? { 'idempotency-key': key } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  async order(who: string, key = `order-${who}`): Promise<OrderView> {
    const menu = await getMenu(this.embedded.runtime.database, {
      garden: demoGarden,
      date: demoDay(),
      mealType: 'LUNCH',
    });
    const meals = [
      {
        dishId: menu.dishes[0]?.id,
        sideboardId: menu.sideboards[0]?.id,
        edibleDate: menu.date,
        mealType: 'LUNCH',
      },
    ];
    const placed = await this.call<{ orders: OrderView[] }>(
      'POST',
      '/v1/orders',
      { garden: demoGarden, userId: who, email: `${who}@example.com`, name: who, meals },
      key,
    );
    const [order] = placed.body.orders;
    if (!order) throw new Error(JSON.stringify(placed.body));
    return this.until(`${who} ordered`, async () => {
      const { body } = await this.call<OrderView>('GET', `/v1/orders/${order.id}`);
      return body.status === 'ORDERED' && body;
    });
  }

  /** A refund that the energy center made and never confirmed, parked after three failures. Faults stay until `recover`. */
  async parked(...whos: string[]): Promise<{ eventId: string; order: OrderView }[]> {
    const orders = [];
    for (const who of whos) orders.push(await this.order(who));
    this.fault(
      { call: 'energy.unPay', kind: 'reset-after' },
      { call: 'energy.queryRefund', kind: 'read-lag', ms: 3_600_000 },
    );
    const found = [];
    for (const order of orders) {
      await this.call('POST', `/v1/orders/${order.id}/cancel`, {}, `cancel-${order.id}`);
      const eventId = await this.until('parked', async () => {
        const rows = await this.embedded.runtime.database.query<{ id: unknown }>(
          sql`SELECT id FROM outbox_event WHERE subject_id = ${order.id} AND type = 'ENERGY_CENTER_V2_CANCEL' AND status = 'errored'`,
        );
        return rows[0] && String(rows[0].id);
      });
      found.push({ eventId, order });
    }
    return found;
  }

  async until<T>(what: string, look: () => Promise<T | undefined | false>, timeoutMs = 40_000): Promise<T> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
      const seen = await look();
      if (seen) return seen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`this never happened: ${what} on ${businessDay(Date.now())}`);
  }

  /** A person's browser, not signed in. */
  async visitor(options: {
    language: Language;
    theme?: Theme;
    width?: number;
    height?: number;
  }): Promise<{ context: BrowserContext; page: Page; foreign: string[] }> {
    const { language, theme = 'light', width = 360, height = 780 } = options;
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      timezoneId: 'Asia/Shanghai',
    });
    const foreign: string[] = [];
    context.on('request', (request) => {
      if (!request.url().startsWith(this.url) && !request.url().startsWith('data:'))
        foreign.push(request.url());
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return { context, page, foreign };
  }

  async signIn(
    context: BrowserContext,
    role: 'viewer' | 'operator' = 'operator',
    sub?: string,
  ): Promise<void> {
    await context.addCookies([
      { name: 'lunchbox_session', value: await this.token(role, sub), url: this.url },
    ]);
  }
}
