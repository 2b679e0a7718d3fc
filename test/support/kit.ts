import type { FastifyInstance } from 'fastify';
import { createApp } from '../../src/app/api-part.js';
import { createLogger } from '../../src/app/logging.js';
import { createRuntime, type Runtime } from '../../src/app/runtime.js';
import { loadSettings } from '../../src/app/settings.js';
import type { Role } from '../../src/base/caller.js';
import { businessDay, type Clock, systemClock } from '../../src/base/clock.js';
import { join, now, sql } from '../../src/database/sql.js';
import { sandboxSecrets, sandboxSettings } from '../../src/dev/sandbox/defaults.js';
import type { FaultRule } from '../../src/dev/sandbox/faults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import type { BoxOrder } from '../../src/entities/box-order.js';
import type { MealType } from '../../src/entities/menu.js';
import { signToken } from '../../src/http/auth.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import type { EventView, OrderView } from '../../src/orders/view.js';
import { type DatabaseKind, migratedDatabase } from './databases.js';

const secret = 'a-secret-of-the-tests-alone-32-bytes-and-more';
export const garden = 'g1';
export const tomorrow = businessDay(Date.now() + 86_400_000);

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly headers: Record<string, unknown>;
}

/**
 * Retries and settle windows pass by themselves. A vendor has time to answer, however much the machine has to do; tests that wait for a vendor who never
 * answers are few.
 */
const testSettings = {
  AUTH_JWT_SECRET: secret,
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  MEICAN_TIMEOUT_MS: '2000',
  ENERGY_TIMEOUT_MS: '2000',
  WECOM_TIMEOUT_MS: '2000',
  MEICAN_SETTLE_MS: '0',
  RETRY_DELAY_MS: '60000',
  PAYMENT_WINDOW_MS: '60000',
  INLINE_BUDGET_MS: '3000',
};

/** A pause between two tries of a refund, or two questions about a payment, is a tenth of what it is in production. */
const hurriedClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
};

/** A whole lunchbox in this process, on a database of its own, against a sandbox of its own, over real HTTP. No poller: the test is the clock. */
export class Kit {
  #keys = 0;

  private constructor(
    readonly runtime: Runtime,
    readonly sandbox: Sandbox,
    readonly app: FastifyInstance,
    readonly env: Record<string, string>,
  ) {}

  static async create(
    kind: DatabaseKind,
    overrides: Record<string, string> = {},
    { legacyMode = false, secrets = sandboxSecrets, logger = createLogger('silent', 'test') } = {},
  ): Promise<Kit> {
    const sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode, secrets });
    const vendors = Object.fromEntries(
      Object.entries(sandboxSettings(sandbox.url)).map(([key, value]) => [key, String(value)]),
    );
    const given = Object.fromEntries(
      Object.entries(overrides).map(([key, value]) => [key, value.replace('SANDBOX', sandbox.url)]),
    );
    const env: Record<string, string> = {
      ...testSettings,
      ...vendors,
      DATABASE_URL: await migratedDatabase(kind),
      ...given,
    };
    const settings = loadSettings({
      env: kind === 'sqlite' || overrides.REDIS_URLS ? env : { ...env, REDIS_URLS: 'redis://127.0.0.1:1' },
    });
    const runtime = await createRuntime(
      { ...settings, REDIS_URLS: overrides.REDIS_URLS ? settings.REDIS_URLS : [] },
      logger,
      { clock: hurriedClock },
    );
    return new Kit(runtime, sandbox, await createApp(runtime, logger), env);
  }

  get database() {
    return this.runtime.database;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.runtime.outbox.drain(0);
    await this.runtime.close();
    await this.sandbox.close();
  }

  fault(...rules: FaultRule[]): void {
    this.sandbox.faults.add(rules);
  }

  token(sub: string, role: Role = 'user'): Promise<string> {
    return signToken(this.env.AUTH_JWT_SECRET || secret, {
      sub,
      role,
      email: `${sub}@example.com`,
      name: `Name of ${sub}`,
      ttlS: 600,
    });
  }

  async call<T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    options: {
      as?: string;
      role?: Role;
      body?: unknown;
      key?: string | null;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer<T>> {
    const {
      as = 'op',
      role = as === 'op' ? 'operator' : 'user',
      body,
      key = method === 'POST' ? `key-${++this.#keys}` : null,
    } = options;
    const response = await this.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${await this.token(as, role)}`,
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return {
      status: response.statusCode,
      body: (response.body ? JSON.parse(response.body) : null) as T,
      headers: response.headers,
    };
  }

  /** A menu of one dish and one cabinet. */
  async menu({
    stock = 10,
    capacity = 10,
    mealType = 'LUNCH' as MealType,
    cutoffAt = new Date(Date.now() + 3_600_000),
    date = tomorrow,
    priceInCent = 2300,
  } = {}) {
    const key = { garden, date, mealType };
    await putMenu(this.database, key, {
      corp: 'corp1',
      cutoffAt,
      dishes: [{ meicanDishId: '101', name: '宫保鸡丁', priceInCent, stock }],
      sideboards: [{ location: 'A-1', addressId: 'A1', capacity }],
    });
    const menu = await getMenu(this.database, key);
    return {
      ...menu,
      dish: menu.dishes[0] as (typeof menu.dishes)[number],
      sideboard: menu.sideboards[0] as (typeof menu.sideboards)[number],
    };
  }

  orderBody(menu: Awaited<ReturnType<Kit['menu']>>) {
    return {
      garden,
      meals: [
        {
          dishId: menu.dish.id,
          sideboardId: menu.sideboard.id,
          edibleDate: menu.date,
          mealType: menu.mealType,
        },
      ],
    };
  }

  async order(
    menu: Awaited<ReturnType<Kit['menu']>>,
    as: string,
    key?: string,
  ): Promise<Answer<{ orders: OrderView[] } & Record<string, unknown>>> {
    return this.call('POST', '/v1/orders', { as, body: this.orderBody(menu), ...(key ? { key } : {}) });
  }

  /** An order that is ORDERED at Meican. */
  async ordered(menu: Awaited<ReturnType<Kit['menu']>>, as: string): Promise<OrderView> {
    const answer = await this.order(menu, as);
    if (answer.status !== 201) throw new Error(`not placed: ${JSON.stringify(answer.body)}`);
    await this.runDue();
    return this.read(answer.body.orders[0]?.id ?? '');
  }

  async cancel(
    id: string,
    as: string,
    key?: string,
  ): Promise<Answer<{ order: OrderView; events: EventView[] } & Record<string, unknown>>> {
    return this.call('POST', `/v1/orders/${id}/cancel`, { as, body: {}, ...(key ? { key } : {}) });
  }

  /** A refund whose every answer was lost, and that no question shows: parked after the third failure. `done`: the energy center made it. */
  async parkedRefund(
    menu: Awaited<ReturnType<Kit['menu']>>,
    sub: string,
    done = true,
  ): Promise<{ orderId: string; id: string }> {
    const order = await this.ordered(menu, sub);
    this.fault(
      { call: 'energy.unPay', kind: done ? 'reset-after' : 'reset-before' },
      { call: 'energy.queryRefund', kind: 'read-lag', ms: 3_600_000 },
    );
    await this.cancel(order.id, sub);
    await this.pass(3);
    this.sandbox.faults.clear();
    const event = await this.eventOf(order.id, 'ENERGY_CENTER_V2_CANCEL');
    if (event.status !== 'errored' || event.outcome !== 'unknown')
      throw new Error(`not parked: ${JSON.stringify(event)}`);
    return { orderId: order.id, id: event.id };
  }

  /** A coffee that was paid at the machine; its number at the energy center. */
  async coffee(userId: string, outTradeNo = `T-${userId}`, amountInCent = 900): Promise<string> {
    const pay = {
      outTradeNo,
      userId,
      amountInCent,
      subject: 'coffee',
      orderNo: outTradeNo,
      expireAt: new Date(Date.now() + 60_000),
    };
    const paid = await this.runtime.clients.energy.pay(pay, { requestId: 'coffee-machine', traceparent: '' });
    if (paid.kind !== 'applied') throw new Error(`not paid: ${JSON.stringify(paid)}`);
    return outTradeNo;
  }

  async read(id: string): Promise<OrderView> {
    return (await this.call<OrderView & Record<string, unknown>>('GET', `/v1/orders/${id}`)).body;
  }

  async events(filter = ''): Promise<EventView[]> {
    return (await this.call<{ data: EventView[] }>('GET', `/v1/events?limit=100${filter}`)).body.data;
  }

  async eventOf(orderId: string, type: string): Promise<EventView> {
    const [event] = (await this.events(`&orderId=${orderId}`)).filter((candidate) => candidate.type === type);
    if (!event) throw new Error(`order ${orderId} has no event ${type}`);
    return event;
  }

  /** Carries out what is due, and what falls due in consequence, until nothing is. */
  async runDue(): Promise<void> {
    for (;;) {
      const claimed = await this.runtime.outbox.claimAndStart();
      if (claimed !== 'no-slot' && claimed.rows.length === 0 && this.runtime.outbox.runningCount === 0)
        return;
      await this.runtime.outbox.oneEnded();
    }
  }

  /** Whatever waits for its time (a retry, a snooze, a guard) becomes due now; then `runDue`. One round is one attempt of each. */
  async pass(rounds = 1, types?: readonly string[]): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.database.execute(
        sql`UPDATE outbox_event SET run_at = ${now}, queue_at = ${now} WHERE status = 'pending' AND queue_at > ${now} AND lease_until IS NULL ${types ? sql`AND type IN (${join(types)})` : sql``}`,
      );
      await this.runDue();
    }
  }

  /** Everything to its end. */
  async settleAll(rounds = 12): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const open = await this.database.query(
        sql`SELECT id FROM outbox_event WHERE status = 'pending' AND type <> 'WECOM_ALERT' LIMIT 1`,
      );
      if (open.length === 0) return;
      await this.pass();
    }
  }

  async stockOf(menu: {
    garden: string;
    date: string;
    mealType: MealType;
  }): Promise<{ dish: number; sideboard: number }> {
    const fresh = await getMenu(this.database, {
      garden: menu.garden,
      date: menu.date,
      mealType: menu.mealType,
    });
    return { dish: fresh.dishes[0]?.remaining ?? -1, sideboard: fresh.sideboards[0]?.remaining ?? -1 };
  }

  balanceOf(userId: string): number {
    return (
      this.sandbox.ledger.books.accounts.find((account) => account.userId === userId)?.balance ?? 100_000
    );
  }

  mealsAtMeican(sub: string): number {
    return this.sandbox.ledger.books.meicanOrders.filter(
      (order) => order.email === `${sub}@example.com` && !order.cancelled,
    ).length;
  }

  robotTexts(): string[] {
    return this.sandbox.ledger.books.robotMessages.map(
      (message) => (message.content as { markdown: { content: string } }).markdown.content,
    );
  }

  async row(orderId: string): Promise<BoxOrder> {
    const { BoxOrder: entity } = await import('../../src/entities/box-order.js');
    return this.database.manager.findOneByOrFail(entity, { id: orderId });
  }
}
