import type { FastifyInstance } from 'fastify';
import { createApp } from '../../src/app/api-part.js';
import { createLogger } from '../../src/app/logging.js';
import { createRuntime, type Runtime } from '../../src/app/runtime.js';
import { loadSettings } from '../../src/app/settings.js';
import { now, sql } from '../../src/database/sql.js';
import { signToken } from '../../src/http/auth.js';
import { type ServedVendors, serveVendors } from '../vendors/serve.js';

const SECRET = 'a-secret-of-the-tests-alone-32-bytes-and-more';

/** Covers every lag and every late effect of `singles.ts`, beside a time-out. */
const SETTLE_MS = 1_400;

const TOKEN_S = 600;

/** Long enough for a busy machine, short enough for thousands of stories. */
const SETTINGS = {
  AUTH_JWT_SECRET: SECRET,
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  MEICAN_TIMEOUT_MS: '1000',
  ENERGY_TIMEOUT_MS: '1000',
  MEICAN_SETTLE_MS: String(SETTLE_MS),
  RETRY_DELAY_MS: '60000',
  PAYMENT_WINDOW_MS: '60000',
  INLINE_BUDGET_MS: '3000',
  RATE_LIMIT_USER_PER_MINUTE: '1000000',
};

export interface Heard<T> {
  readonly status: number;
  readonly body: T;
}

/** A whole lunchbox in this process, on an embedded database, against vendors that know nothing of its code. No poller: the story is the clock. */
export class Shop {
  private keys = 0;
  private badge = { token: '', until: 0 };

  private constructor(
    readonly runtime: Runtime,
    readonly vendors: ServedVendors,
    private readonly app: FastifyInstance,
  ) {}

  static async open(databaseUrl: string, settings: Record<string, string> = {}): Promise<Shop> {
    const vendors = await serveVendors({ apart: true, keepAliveMs: 60_000, meican: { settleMs: SETTLE_MS } });
    const logger = createLogger('silent', 'test');
    const runtime = await createRuntime(
      loadSettings({ env: { ...SETTINGS, ...vendors.settings, DATABASE_URL: databaseUrl, ...settings } }),
      logger,
    );
    return new Shop(runtime, vendors, await createApp(runtime, logger));
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.runtime.outbox.drain(0);
    await this.runtime.close();
    await this.vendors.close();
  }

  /** What the operator reads. A machine that stands still for a moment answers 503: asked again. */
  async read<T>(url: string): Promise<T> {
    for (;;) {
      const { status, body } = await this.ask<T>('GET', url, 'op');
      if (status === 200) return body;
      if (status < 500) throw new Error(`${url}: ${status} ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async ask<T>(
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    as: string,
    body?: unknown,
    key?: string,
  ): Promise<Heard<T>> {
    this.keys += 1;
    const token = as === 'op' ? await this.operator() : await tokenOf(as, 'user');
    const response = await this.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${token}`,
        ...(method === 'POST' ? { 'idempotency-key': key ?? `key-${this.keys}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { status: response.statusCode, body: (response.body ? JSON.parse(response.body) : null) as T };
  }

  /** Signing costs more than most of what it is signed for. */
  private async operator(): Promise<string> {
    if (this.badge.until < Date.now())
      this.badge = { token: await tokenOf('op', 'operator'), until: Date.now() + (TOKEN_S * 1000) / 2 };
    return this.badge.token;
  }

  /** Whatever waits for its time becomes due, and is carried out, with what follows from it. One call is one attempt of each event. */
  async pass(): Promise<void> {
    await this.runtime.database.execute(
      sql`UPDATE outbox_event SET run_at = ${now}, queue_at = ${now} WHERE status = 'pending' AND queue_at > ${now} AND lease_until IS NULL AND type <> 'WECOM_ALERT'`,
    );
    for (;;) {
      const claimed = await this.runtime.outbox.claimAndStart();
      if (claimed !== 'no-slot' && claimed.rows.length === 0 && this.runtime.outbox.runningCount === 0)
        return;
      await this.runtime.outbox.oneEnded();
    }
  }

  /** Events that are still to be carried out. Alerts wait for their turn, a search for a meal that may yet appear for its end; neither is waited for. */
  async openEvents(): Promise<number> {
    const rows = await this.runtime.database.query(
      sql`SELECT id FROM outbox_event WHERE status = 'pending' AND type <> 'WECOM_ALERT' AND dedupe_key NOT LIKE '%:ghost'`,
    );
    return rows.length;
  }

  /** Orders that changed a moment ago are left out of the comparison with the vendors; a story has no time to wait for that. */
  async age(userId: string): Promise<void> {
    await this.runtime.database.execute(
      sql`UPDATE box_order SET updated_at = '2000-01-01 00:00:00' WHERE user_id = ${userId}`,
    );
  }

  /** Out of the way of the next story's comparison. */
  async putAway(userId: string): Promise<void> {
    await this.runtime.database.execute(
      sql`UPDATE box_order SET edible_date = '2000-01-01' WHERE user_id = ${userId}`,
    );
  }
}

function tokenOf(sub: string, role: 'user' | 'operator'): Promise<string> {
  return signToken(SECRET, { sub, role, email: `${sub}@example.com`, name: `Name of ${sub}`, ttlS: TOKEN_S });
}
