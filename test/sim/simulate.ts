import { EnergyClient } from '../../src/clients/energy.js';
import { MeicanClient } from '../../src/clients/meican.js';
import type { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { join, sql } from '../../src/database/sql.js';
import { createEnergyCancel } from '../../src/handlers/energy-cancel.js';
import { createEnergyRollback } from '../../src/handlers/energy-rollback.js';
import { createMeicanCancel } from '../../src/handlers/meican-cancel.js';
import { createMeicanNewOrder } from '../../src/handlers/meican-new-order.js';
import type { Caller } from '../../src/orders/caller.js';
import { cancel } from '../../src/orders/cancel.js';
import type { Attempted } from '../../src/orders/idempotency.js';
import type { Locks } from '../../src/orders/lock.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { createOrderNumbers } from '../../src/orders/number.js';
import { place } from '../../src/orders/place.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { requeue } from '../../src/outbox/requeue.js';
import type { EventHandler } from '../../src/outbox/types.js';
import { Problem } from '../../src/problems.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { disagreements } from '../support/books.js';
import { aliasRefund, type Without } from './mechanisms.js';
import { type SimProcess, World } from './world.js';

export interface SimResult {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly kills: number;
  readonly violations: readonly string[];
}

const DINERS = 6;
const CHAOS_STEPS = 900;
const QUIET_ROUNDS = 2_000;
const TURNS_MAX = 100_000;
/** They tell people; nobody's money or lunch hangs on them here. */
const MESSAGES = ['WECOM_ALERT', 'WECOM_DINER_CARD'];
const LEASE_MS = 10_000;
const noLocks: Locks = { withLock: (_keys, work) => work() }; // correctness must not rest on them
const day = '2026-11-24';

interface Diner {
  readonly sub: string;
  wantsCancel: boolean;
  orderId: string | null;
  /** What the last trustworthy answer promised. */
  told: 'nothing' | 'ordered' | 'cancelled';
  busy: boolean;
}

/** One seed: diners, APIs, schedulers, vendors, time, faults and deaths, step by step in one process; then quiet; then the books. */
export async function simulate(seed: number, without: Without = {}): Promise<SimResult> {
  const random = mulberry32(seed);
  const world = await World.create(random, without.rewrite ?? ((statement) => statement), without.legacyMode ?? false);
  await migrate(world.database);
  const key = { garden: 'g', date: day, mealType: 'LUNCH' } as const;
  const stock = 3 + Math.floor(random() * DINERS);
  await putMenu(world.database, key, {
    corp: 'c',
    cutoffAt: new Date('2026-11-24T02:30:00Z'),
    dishes: [{ meicanDishId: '1', name: 'one', priceInCent: 1500, stock }],
    sideboards: [{ location: 'L', addressId: 'A', capacity: 100 }],
  });
  const menu = await getMenu(world.database, key);
  const body = {
    garden: 'g',
    meals: [{ dishId: menu.dishes[0]?.id ?? '', sideboardId: menu.sideboards[0]?.id ?? '', edibleDate: day, mealType: 'LUNCH' as const }],
  };

  let born = 0;
  let kills = 0;
  const create = (kind: string) => createProcess(world, { name: `${kind}${++born}`, dead: false }, without);
  const apis = [create('api'), create('api')];
  const schedulers = [create('scheduler'), create('scheduler')];
  const diners: Diner[] = Array.from({ length: DINERS }, (_, i) => ({
    sub: `d${i}`,
    wantsCancel: random() < 0.6,
    orderId: null,
    told: 'nothing',
    busy: false,
  }));
  const violations: string[] = [];

  const act = (diner: Diner): void => {
    const api = apis[Math.floor(random() * apis.length)];
    if (!api) return;
    const attempted = (operation: string): Attempted => ({
      caller: diner.sub,
      operation,
      key: operation,
      body: operation,
      instance: '/',
      requestId: 'simulated-request',
      lockMs: 15_000,
    });
    diner.busy = true;
    const request =
      diner.told === 'nothing'
        ? place(api.place, {
            attempted: attempted('place'),
            userId: diner.sub,
            email: `${diner.sub}@example.com`,
            realName: diner.sub,
            garden: body.garden,
            meals: body.meals,
            traceparent: null,
          }).then((answer) => {
            if (answer.status !== 201) return;
            diner.orderId = (answer.body as { orders: { id: string }[] }).orders[0]?.id ?? null;
            diner.told = 'ordered';
          })
        : cancel(api.cancel, {
            attempted: attempted('cancel'),
            caller: callerOf(diner.sub),
            orderId: diner.orderId ?? '',
            reason: null,
            traceparent: null,
          }).then((answer) => {
            if (answer.status === 200 || answer.status === 202) diner.told = 'cancelled';
          });
    const done = (): void => {
      diner.busy = false;
    };
    request.then(done, (error: unknown) => {
      done();
      if (!(error instanceof Problem)) violations.push(`a request failed: ${(error as Error).message}`);
    });
    api.diners.add(diner);
  };

  let steps = 0;
  const turn = async (): Promise<void> => {
    steps += 1;
    world.step();
    await new Promise((resolve) => setImmediate(resolve));
  };

  // Some worlds die often, some lie often, some are merely slow.
  world.chaos.faults = [0.1, 0.3, 0.6][seed % 3] ?? 0.1;
  const killAbove = 0.13 + ([0, 0.004, 0.012][Math.floor(seed / 3) % 3] ?? 0);
  for (let i = 0; i < CHAOS_STEPS; i++) {
    const dice = random();
    if (dice < 0.04) {
      const idle = diners.filter((diner) => !diner.busy && (diner.told === 'nothing' || (diner.told === 'ordered' && diner.wantsCancel)));
      const chosen = idle[Math.floor(random() * idle.length)];
      if (chosen) act(chosen);
    } else if (dice < 0.1) schedulers[Math.floor(random() * schedulers.length)]?.poll();
    else if (dice < 0.13) world.clock.advance(random() < 0.3 ? LEASE_MS * (0.5 + random()) : random() * 4_000);
    else if (dice < killAbove) {
      const pool = random() < 0.5 ? apis : schedulers;
      const at = Math.floor(random() * pool.length);
      const victim = pool[at];
      if (victim) {
        world.kill(victim.process);
        for (const diner of victim.diners) diner.busy = false;
        pool[at] = create(pool === apis ? 'api' : 'scheduler');
        kills += 1;
      }
    } else await turn();
  }

  world.chaos.faults = 0;
  if (!(await comeToRest(world, schedulers, turn))) violations.push('it never comes to rest');
  violations.push(...(await judge(world, diners)));
  await world.database.close();
  return { seed, steps, faults: world.faultsInjected, kills, violations };
}

/** No more faults and deaths; time passes; on-call requeues what was errored because its workers kept dying. False: something never ends. */
async function comeToRest(world: World, schedulers: readonly { poll(): void }[], turn: () => Promise<void>): Promise<boolean> {
  for (let round = 0; round < QUIET_ROUNDS; round++) {
    // What a timer woke takes its next turn a moment later; nobody may stand in an open transaction when we look.
    for (let i = 0, idle = 0; idle < 3; i++) {
      if (i > TURNS_MAX) return false;
      idle = world.waiting.length > 0 ? 0 : idle + 1;
      await turn();
    }
    const open = await world.database.query<{ id: unknown; status: string; dedupe_key: string }>(
      sql`SELECT id, status, dedupe_key FROM outbox_event WHERE status IN ('pending', 'errored') AND type NOT IN (${join(MESSAGES)})`,
    );
    if (open.length === 0 && world.waiting.length === 0) return true;
    for (const event of open)
      if (event.status === 'errored')
        await requeue(world.database, String(event.id), { actor: 'on-call', role: 'operator', reason: 'simulated', requestId: null });
    const onlyGhosts = open.length > 0 && open.every((event) => event.dedupe_key.endsWith(':ghost'));
    world.clock.advance(onlyGhosts ? 20 * 60_000 : 5_000);
    for (const scheduler of schedulers) scheduler.poll();
  }
  if (process.env.SIM_DEBUG)
    console.log(
      world.waiting.length,
      await world.database.query(
        sql`SELECT id, type, status, attempt, failures, interruptions, run_at, queue_at, lease_until, ordering_key, outcome, last_error_code FROM outbox_event WHERE status IN ('pending', 'errored')`,
      ),
      await world.database.query(sql`SELECT id, order_no, status, refund, meican_order_id FROM box_order`),
    );
  return false;
}

async function judge(world: World, diners: readonly Diner[]): Promise<string[]> {
  const found = await disagreements(world.database, world.ledger.books);
  for (const diner of diners) {
    if (diner.told === 'nothing' || diner.orderId === null) continue;
    const [row] = await world.database.query<{ status: string }>(sql`SELECT status FROM box_order WHERE id = ${diner.orderId}`);
    const allowed = diner.told === 'cancelled' ? ['USER_CANCEL'] : ['ORDERED', 'ORDER_ERROR', 'USER_CANCEL'];
    if (!allowed.includes(row?.status ?? '')) found.push(`${diner.sub} was told ${diner.told}; the order is ${row?.status ?? 'gone'}`);
  }
  for (const trade of world.ledger.books.trades) if (trade.refundedAmount > trade.amount) found.push(`payment ${trade.outTradeNo} was refunded more than once`);
  const perDiner = new Map<string, number>();
  for (const meal of world.ledger.books.meicanOrders) if (!meal.cancelled) perDiner.set(meal.email, (perDiner.get(meal.email) ?? 0) + 1);
  for (const [email, meals] of perDiner) if (meals > 1) found.push(`Meican cooks ${meals} meals for ${email}`);
  if (world.zombieWrites > 0) found.push(`${world.zombieWrites} writes by workers that had lost their lease`);
  const errored = await world.database.query<{ type: string; last_error_code: string; interruptions: number }>(
    sql`SELECT type, last_error_code, interruptions FROM outbox_event WHERE status = 'errored'`,
  );
  for (const event of errored)
    if (event.last_error_code === 'handler-threw' || event.last_error_code === 'effect-failed') found.push(`${event.type} errored: ${event.last_error_code}`);
  return found;
}

function createProcess(world: World, process: SimProcess, without: Without) {
  const database: Database = world.databaseOf(process);
  const timeoutMs = 3_600_000; // time passes only virtually
  const energy = new EnergyClient(
    { baseUrl: 'http://sim', appId: 'a', appSecret: sandboxSecrets.energyAppSecret, timeoutMs },
    world.carrierOf(process, 'energy', without.randomRefundNumbers ? aliasRefund : undefined),
  );
  const meican = new MeicanClient({ baseUrl: 'http://sim', corpToken: sandboxSecrets.meicanCorpToken, timeoutMs }, world.carrierOf(process, 'meican'));
  const meicanPart = { database, meican, settleMs: without.settleMs ?? 15_000, timeoutMs };
  const energyPart = { database, energy, clock: world.clock, timeoutMs };
  const handlers = [
    createMeicanNewOrder(meicanPart),
    createMeicanCancel(meicanPart),
    createEnergyCancel(energyPart),
    createEnergyRollback(energyPart),
  ] as unknown as EventHandler<never>[];
  // The limit is raised: what is errored needs a person, and the simulation has none.
  const outbox = new Outbox(database, handlers, {
    leaseMs: LEASE_MS,
    failuresMax: 1_000,
    retryDelayMs: 5_000,
    batchSize: 10,
    concurrencyPerTarget: 10,
    random: world.random,
    nowMs: world.clock.now,
  });
  const numbers = createOrderNumbers(database, null);
  return {
    process,
    diners: new Set<Diner>(),
    place: { database, energy, locks: noLocks, numbers, clock: world.clock, paymentWindowMs: 60_000, payTimeoutMs: 0 },
    cancel: { database, outbox, locks: noLocks, inlineBudgetMs: 0 },
    poll: (): void => void outbox.claimAndStart().catch(() => {}),
  };
}

function callerOf(sub: string): Caller {
  return { sub, role: 'user', email: `${sub}@example.com`, name: sub };
}
