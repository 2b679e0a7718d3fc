import { raiseErrored } from '../../src/alerts/raise.js';
import { EnergyClient } from '../../src/clients/energy.js';
import { MeicanClient } from '../../src/clients/meican.js';
import type { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { join, sql } from '../../src/database/sql.js';
import { createBooksCompare } from '../../src/handlers/books-compare.js';
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
import { record } from '../../src/outbox/record.js';
import { requeue } from '../../src/outbox/requeue.js';
import type { EventHandler } from '../../src/outbox/types.js';
import { Problem } from '../../src/problems.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { compareBooks } from '../../src/scheduler-part.js';
import { type Without, withRandomRefundNumbers } from './mechanisms.js';
import { type Diner, judge, POISON } from './model.js';
import { createPoison, poison } from './poison.js';
import { type Step, stepsOf } from './steps.js';
import { type SimProcess, World } from './world.js';

export interface SimResult {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly kills: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  /** What became of each order. */
  readonly orders: readonly string[];
}

export interface SimOptions {
  readonly without?: Without;
  /** Instead of the seed's own steps. */
  readonly steps?: readonly Step[];
  /** Faults, by number, that are left out. */
  readonly spared?: ReadonlySet<number>;
  /** Meican cannot be reached for so long, nothing else goes wrong, and the third failure is the last one. Milliseconds. */
  readonly outageMs?: number;
}

const DINERS = 6;
const QUIET_ROUNDS = 1_000;
const TURNS_MAX = 100_000;
/** They tell people; nobody's money or lunch hangs on them here. */
const MESSAGES = ['WECOM_ALERT', 'WECOM_DINER_CARD'];
const LEASE_MS = 10_000;
const SETTLE_MS = 30_000;
const noLocks: Locks = { withLock: (_keys, work) => work({ held: false, waitedMs: 0 }) }; // correctness must not rest on them
const day = '2026-11-24';
const onCall = { actor: 'on-call', role: 'operator', reason: 'simulated', requestId: null } as const;

type Process = ReturnType<typeof createProcess>;

/** One seed: diners, APIs, schedulers, vendors, on-call, time, faults and deaths, step by step in one process; then quiet; then the books. */
export async function simulate(seed: number, { without = {}, steps = stepsOf(seed), spared = new Set(), outageMs = 0 }: SimOptions = {}): Promise<SimResult> {
  const random = mulberry32(seed);
  const world = await World.create({ seed, rewrite: without.rewrite ?? ((statement) => statement), legacyMode: without.legacyMode ?? false, spared, outageMs });
  await migrate(world.database);
  const key = { garden: 'g', date: day, mealType: 'LUNCH' } as const;
  await putMenu(world.database, key, {
    corp: 'c',
    cutoffAt: new Date('2026-11-24T02:30:00Z'),
    dishes: [{ meicanDishId: '1', name: 'one', priceInCent: 1500, stock: 3 + Math.floor(random() * DINERS) }],
    sideboards: [{ location: 'L', addressId: 'A', capacity: 100 }],
  });
  const menu = await getMenu(world.database, key);
  const meals = [{ dishId: menu.dishes[0]?.id ?? '', sideboardId: menu.sideboards[0]?.id ?? '', edibleDate: day, mealType: 'LUNCH' as const }];
  if (seed % 4 === 0) await world.database.transaction((tx) => record(tx, poison, { seed }));

  let born = 0;
  let kills = 0;
  // In some worlds the third failure is the last one, and on-call mends; in others every event has patience.
  const failuresMax = seed % 5 === 0 || outageMs > 0 ? 3 : 1_000;
  const create = (kind: string): Process => createProcess(world, { name: `${kind}${++born}`, dead: false }, without, failuresMax);
  const apis = [create('api'), create('api')];
  const schedulers = [create('scheduler'), create('scheduler')];
  /** The process in this place, or the one that was started when it died. */
  const at = (pool: Process[], r: number): Process => {
    const i = Math.floor(r * pool.length);
    const found = pool[i] as Process;
    if (!found.process.dead) return found;
    const next = create(found.process.name.replace(/\d+$/, ''));
    pool[i] = next;
    return next;
  };
  const diners: Diner[] = Array.from({ length: DINERS }, (_, i) => ({
    sub: `d${i}`,
    wantsCancel: random() < 0.6,
    orderId: null,
    told: 'nothing',
    busy: false,
  }));
  const violations: string[] = [];

  const requestOf = async (api: Process, diner: Diner, wanted: 'place' | 'cancel'): Promise<void> => {
    const attempted: Attempted = {
      caller: diner.sub,
      role: 'user',
      operation: wanted,
      key: wanted,
      body: wanted,
      instance: '/',
      requestId: 'simulated-request',
      lockMs: 15_000,
    };
    world.tell(`${diner.sub} asks ${api.process.name} to ${wanted}`);
    try {
      if (wanted === 'place') {
        const who = { userId: diner.sub, email: `${diner.sub}@example.com`, realName: diner.sub, garden: 'g' };
        const answer = await place(api.place, { attempted, ...who, meals, traceparent: null });
        const id = (answer.body as { orders?: { id: string }[] }).orders?.[0]?.id ?? null;
        world.tell(`${diner.sub} hears: ${answer.status}, order ${id}`);
        if (answer.status !== 201) return; // an earlier refusal, once more
        if (diner.orderId !== null && diner.orderId !== id) violations.push(`${diner.sub} repeated a request and got a second order`);
        diner.orderId = id;
        if (diner.told === 'nothing') diner.told = 'ordered';
      } else {
        const answer = await cancel(api.cancel, { attempted, caller: callerOf(diner.sub), orderId: diner.orderId ?? '', reason: null, traceparent: null });
        world.tell(`${diner.sub} hears: ${answer.status}`);
        if (answer.status !== 200 && answer.status !== 202) return;
        diner.told = 'cancelled';
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      world.tell(`${diner.sub} hears: ${error.status} ${error.code}`);
      if (error.code === 'already-ordered') violations.push(`${diner.sub} repeated a request and was refused because of its own order`);
    }
  };

  const act = (r: number): void => {
    const able = diners.filter((diner) => !diner.busy);
    const diner = able[Math.floor(r * able.length)];
    if (!diner) return;
    const more = (r * able.length) % 1;
    const wanted = diner.told === 'ordered' && diner.wantsCancel && more < 0.9 ? 'cancel' : 'place'; // also once more, with the same key
    const api = at(apis, (more * 7) % 1);
    api.diners.add(diner);
    diner.busy = true;
    requestOf(api, diner, wanted)
      .catch((error: unknown) => void violations.push(`a request failed: ${(error as Error).message}`))
      .finally(() => {
        diner.busy = false;
      });
  };

  const press = (r: number): void => {
    const id = String(1 + Math.floor(r * world.newestEvent));
    if (seed % 4 === 0 && id === '1') return; // the poison is left to its end
    world.tell(`on-call presses requeue on event ${id}`);
    requeue(at(apis, r).cancel.database, id, onCall).then(
      ({ kind }) => world.tell(`on-call hears: event ${id}, ${kind}`),
      (error: unknown) => void violations.push(`a requeue failed: ${(error as Error).message}`),
    );
  };

  const perform: Record<Step['op'], (r: number) => void> = {
    act,
    poll: (r) => at(schedulers, r).poll(),
    advance: (r) => world.clock.advance(r < 0.3 ? LEASE_MS * (0.5 + r / 0.3) : ((r - 0.3) / 0.7) * 4_000),
    kill: (r) => {
      const pool = r < 0.5 ? apis : schedulers;
      const victim = at(pool, (r * 2) % 1);
      kills += 1;
      world.kill(victim.process);
      for (const diner of victim.diners) diner.busy = false;
    },
    requeue: press,
    compare: () => {
      for (const r of [0, 0.5]) void compareBooks({ database: at(schedulers, r).cancel.database }, { error: () => {} });
    },
    turn: (r) => void world.step(r),
  };

  let count = 0;
  world.chaos.faults = outageMs > 0 ? 0 : ([0.1, 0.3, 0.6][seed % 3] ?? 0.1);
  for (const { op, r } of steps) {
    count += 1;
    perform[op](r);
    await new Promise((resolve) => setImmediate(resolve));
  }
  world.chaos.faults = 0;
  const turn = async (): Promise<void> => {
    count += 1;
    world.step(world.random());
    await new Promise((resolve) => setImmediate(resolve));
  };
  const poll = (): void => {
    for (const r of [0, 0.5]) at(schedulers, r).poll();
  };
  if (!(await comeToRest(world, poll, turn))) violations.push('it never comes to rest');
  violations.push(...(await judge(world, diners)));
  const orders = await world.database.query<{ status: string }>(sql`SELECT status FROM box_order ORDER BY id`);
  await world.database.close();
  return { seed, steps: count, faults: world.faultsInjected, kills, violations, story: world.story, orders: orders.map((order) => order.status) };
}

/** No more faults and deaths; time passes; on-call requeues what was errored. False: something never ends. */
async function comeToRest(world: World, poll: () => void, turn: () => Promise<void>): Promise<boolean> {
  for (let round = 0; round < QUIET_ROUNDS; round++) {
    // What a timer woke takes its next turn a moment later; nobody may stand in an open transaction when we look.
    for (let i = 0, idle = 0; idle < 3; i++) {
      if (i > TURNS_MAX) return false;
      idle = world.waiting.length > 0 ? 0 : idle + 1;
      await turn();
    }
    const open = await world.database.query<{ id: unknown; status: string; type: string; dedupe_key: string; attempt: number }>(
      sql`SELECT id, status, type, dedupe_key, attempt FROM outbox_event WHERE status IN ('pending', 'errored') AND type NOT IN (${join(MESSAGES)})`,
    );
    const left = open.filter((event) => event.type !== POISON || event.status === 'pending');
    if (left.length === 0 && world.waiting.length === 0) return true;
    if (left.some((event) => event.type === POISON && event.attempt > 30)) return false;
    for (const event of left) if (event.status === 'errored') await requeue(world.database, String(event.id), onCall);
    const onlyGhosts = left.length > 0 && left.every((event) => event.dedupe_key.endsWith(':ghost'));
    world.clock.advance(onlyGhosts ? 20 * 60_000 : 5_000);
    poll();
  }
  return false;
}

function createProcess(world: World, process: SimProcess, without: Without, failuresMax: number) {
  const database: Database = world.databaseOf(process);
  const timeoutMs = 3_600_000; // time passes only virtually
  const honest = new EnergyClient(
    { baseUrl: 'http://sim', appId: 'a', appSecret: sandboxSecrets.energyAppSecret, timeoutMs },
    world.carrierOf(process, 'energy'),
  );
  const energy = without.randomRefundNumbers ? withRandomRefundNumbers(honest) : honest;
  const meican = new MeicanClient({ baseUrl: 'http://sim', corpToken: sandboxSecrets.meicanCorpToken, timeoutMs }, world.carrierOf(process, 'meican'));
  const meicanPart = { database, meican, settleMs: without.settleMs ?? SETTLE_MS, timeoutMs };
  const energyPart = { database, energy, clock: world.clock, timeoutMs };
  const handlers = [
    createMeicanNewOrder(meicanPart),
    createMeicanCancel(meicanPart),
    createEnergyCancel(energyPart),
    createEnergyRollback(energyPart),
    createBooksCompare({ database, meican, energy, settleMs: SETTLE_MS }),
    createPoison(() => world.kill(process)),
  ] as unknown as EventHandler<never>[];
  const outbox = new Outbox(
    database,
    handlers,
    {
      leaseMs: LEASE_MS,
      failuresMax,
      retryDelayMs: 5_000,
      batchSize: 10,
      concurrencyPerTarget: 10,
      random: world.random,
      nowMs: world.clock.now,
      patienceMs: Number.POSITIVE_INFINITY,
    },
    { errored: raiseErrored },
  );
  world.watch(outbox.signals, process);
  const numbers = createOrderNumbers(database, null);
  return {
    process,
    diners: new Set<Diner>(),
    place: { database, energy, locks: noLocks, numbers, clock: world.clock, paymentWindowMs: 60_000, payTimeoutMs: 0 },
    cancel: { database, outbox, locks: noLocks, clock: world.clock, inlineBudgetMs: 0 },
    poll: (): void => void outbox.claimAndStart().catch(() => {}),
  };
}

function callerOf(sub: string): Caller {
  return { sub, role: 'user', email: `${sub}@example.com`, name: sub };
}
