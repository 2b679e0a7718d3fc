import { compareBooks } from '../../src/app/scheduler-part.js';
import { migrate } from '../../src/database/migrate.js';
import { join, sql } from '../../src/database/sql.js';
import { requeue } from '../../src/operate/requeue.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { record } from '../../src/outbox/record.js';
import type { FaultKind } from '../vendors/fault.js';
import { chanceOf, mulberry32, pick, weighted } from './chance.js';
import { makeGlobal } from './clock.js';
import { Diners } from './diners.js';
import type { Without } from './mechanisms.js';
import { DAY, heard, OnCall, onCall } from './on-call.js';
import { POISON, POISON_ATTEMPTS_MAX, poison } from './poison.js';
import { createProcess, LEASE_MS, type Process } from './process.js';
import { type Step, stepsOf } from './steps.js';
import { Till } from './till.js';
import { dishes, PRICE_CENTS, type Vendor, vendorNames } from './vendors.js';
import { verdict } from './verdict.js';
import { World } from './world.js';

export interface SimResult {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly kills: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  /** What became of each order. */
  readonly orders: readonly string[];
  /** Types of events that were given up, each time. */
  readonly errored: readonly string[];
}

export interface SimOptions {
  readonly without?: Without;
  /** Instead of the seed's own steps. */
  readonly steps?: readonly Step[];
  /** Faults, by number, that are left out. */
  readonly spared?: ReadonlySet<number>;
  /** These vendors answer everything like that for so long, nothing else goes wrong, and the third failure is the last one. */
  readonly outage?: { readonly vendors: readonly Vendor[]; readonly ms: number; readonly fault: FaultKind };
  readonly diners?: number;
}

const DINERS = 6;
/** Nobody asks for anything any more, and vendors go on misbehaving: repeats, questions and waits come to their own. */
const EVENING_ROUNDS = 20;
const QUIET_ROUNDS = 1_500;
const TURNS_MAX = 100_000;
/** They tell people; nobody's money or lunch hangs on them here. */
const MESSAGES = ['WECOM_ALERT', 'WECOM_DINER_CARD'];
const FINAL_REQUEUES = 4;
const OUTAGES: readonly FaultKind[] = [
  { kind: 'status-before', status: 503 },
  { kind: 'hang-before' },
  { kind: 'refuse-connection' },
  { kind: 'status-before', status: 500 },
];

const CUTOFF_AT = new Date('2026-11-24T02:30:00Z');

interface Character {
  readonly chance: number;
  readonly questionChance: number;
  readonly failuresMax: number;
  readonly inlineBudgetMs: number;
  readonly loses: boolean;
  readonly isLate: boolean;
  readonly isPoisoned: boolean;
  readonly cutoffAt: Date;
  readonly outages: number;
}

/** What kind of world a seed is. */
function characterOf(seed: number, outage: SimOptions['outage']): Character {
  const plain = {
    chance: 0,
    questionChance: 0,
    failuresMax: 3,
    inlineBudgetMs: 0,
    loses: false,
    isLate: false,
    isPoisoned: false,
    cutoffAt: CUTOFF_AT,
    outages: 0,
  };
  if (outage) return plain;
  const dice = chanceOf(seed, 'character');
  const kind = weighted({ any: 4, late: 2, outages: 3, 'in-vain': 2, loses: 1 }, dice());
  return {
    chance: pick([0.1, 0.3, 0.6], dice()) ?? 0,
    // Hardly any question is answered.
    questionChance: kind === 'in-vain' ? 0.85 : 0,
    // In some worlds the third failure is the last one, and on-call mends; in others every event has patience.
    failuresMax: kind === 'outages' || kind === 'in-vain' || dice() < 0.4 ? 3 : 1_000,
    inlineBudgetMs: dice() < 0.5 ? 0 : 3_000,
    loses: kind === 'loses',
    isLate: kind === 'late',
    isPoisoned: dice() < 0.25,
    cutoffAt: dice() < 0.1 ? new Date('2026-11-23T00:02:00Z') : CUTOFF_AT,
    outages: kind === 'outages' ? 3 : 0,
  };
}

/** One seed: diners, a till, APIs, schedulers, vendors, on-call, time, faults and deaths, step by step in one process; then quiet; then the books. */
export async function simulate(seed: number, options: SimOptions = {}): Promise<SimResult> {
  const { without = {}, spared = new Set() } = options;
  const world = await World.create({ seed, rewrite: without.rewrite ?? ((statement) => statement), spared });
  const restore = makeGlobal(world.clock, mulberry32(seed + 3));
  try {
    return await run(world, seed, options);
  } finally {
    await world.database.close();
    restore();
  }
}

async function run(world: World, seed: number, options: SimOptions): Promise<SimResult> {
  const { without = {}, steps = stepsOf(seed), outage, diners: count = DINERS } = options;
  const character = characterOf(seed, outage);
  const random = mulberry32(seed);
  await migrate(world.database);
  const meals = await menus(world, character.cutoffAt, 3 + Math.floor(random() * DINERS));
  if (character.isPoisoned) await world.database.transaction((tx) => record(tx, poison, { seed }));

  const cast = new Cast(world, (name) =>
    createProcess(
      world,
      { name, dead: false },
      { without, failuresMax: character.failuresMax, inlineBudgetMs: character.inlineBudgetMs },
    ),
  );
  const diners = new Diners(
    world,
    Array.from({ length: count }, (_, i) => ({
      sub: `d${i}`,
      email: `d${i}@example.com`,
      wantsCancel: random() < 0.6,
      meals: random() < 0.25 ? meals : meals.slice(0, 1),
      wishes: [],
      inFlight: 0,
    })),
  );
  for (const { sub } of diners.all)
    world.vendors.energy.books.open(
      sub,
      random() < 0.1 ? 1_600 : 1_000_000,
      random() < 0.05 ? 'FROZEN' : 'NORMAL',
    );
  const till = new Till(world, diners);
  const people = new OnCall(world, character.isPoisoned);
  const { api, scheduler } = cast;

  let kills = 0;
  const perform: Record<Step['op'], (r: number) => void> = {
    act: (r) => diners.act(r, api),
    till: (r) => till.act(r, api),
    press: (r) => people.press(r, api),
    poll: (r) => scheduler(r).poll(),
    advance: (r) =>
      r < 0.3 ? world.advance(LEASE_MS * (0.5 + r / 0.3), r < 0.1) : world.advance(((r - 0.3) / 0.7) * 4_000),
    kill: (r) => {
      kills += 1;
      cast.kill(r);
    },
    compare: () => {
      for (const r of [0, 0.5]) void compareBooks({ database: scheduler(r).database }, { error: () => {} });
    },
    turn: (r) => {
      if (world.step(r)) return;
      world.advance(r * 3_000); // nobody waits: on with time
      scheduler(r).poll();
    },
  };

  const { vendors } = world;
  vendors.chance = character.chance;
  vendors.questionChance = character.questionChance;
  vendors.loses = character.loses;
  vendors.isLate = character.isLate;
  if (outage) for (const vendor of outage.vendors) vendors.outage(vendor, outage.ms, outage.fault);
  plan(world, seed, character.outages);

  let taken = 0;
  for (const { op, r } of steps) {
    taken += 1;
    perform[op](r);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const violations: string[] = [];
  if (!outage)
    for (let round = 0; round < EVENING_ROUNDS; round++) await pass(world, cast, 5_000, () => (taken += 1));
  vendors.quiet();
  world.tell('quiet');
  const rested = await comeToRest(world, cast, () => (taken += 1));
  if (rested !== null) violations.push(`it never comes to rest: ${rested}`);
  if (vendors.loses) {
    world.advance(3_600_000);
    perform.compare(0);
    await comeToRest(world, cast, () => (taken += 1));
  }
  violations.push(
    ...diners.violations,
    ...till.violations,
    ...people.violations,
    ...(await verdict(world, diners, {
      failuresMax: character.failuresMax,
      cutoffAtMs: character.cutoffAt.getTime(),
    })),
  );
  const orders = await world.database.query<{ status: string }>(
    sql`SELECT status FROM box_order ORDER BY id`,
  );
  return {
    seed,
    steps: taken,
    faults: vendors.faultsInjected,
    kills,
    violations,
    story: world.story,
    orders: orders.map((order) => order.status),
    errored: world.attempts.flatMap(({ type, status }) => (status === 'errored' ? [type] : [])),
  };
}

/** Whole outages, somewhere in the chaos. */
function plan({ vendors, clock }: World, seed: number, outages: number): void {
  for (let i = 0; i < outages; i++) {
    const dice = chanceOf(seed, `outage ${i}`);
    const vendor = pick(vendorNames, dice()) ?? 'meican';
    const fault = pick(OUTAGES, dice()) as FaultKind;
    const forMs = 30_000 + dice() * 90_000;
    clock.later(dice() * 120_000, () => vendors.outage(vendor, forMs, fault));
  }
}

async function menus(world: World, cutoffAt: Date, stock: number) {
  const meals = [];
  for (const [mealType, dish, stockOf] of [
    ['LUNCH', dishes[0], stock],
    ['DINNER', dishes[1], 100],
  ] as const) {
    const key = { garden: 'g', date: DAY, mealType };
    await putMenu(world.database, key, {
      corp: 'c',
      cutoffAt,
      dishes: [{ meicanDishId: dish.id, name: dish.name, priceInCent: PRICE_CENTS, stock: stockOf }],
      sideboards: [{ location: 'L', addressId: 'A', capacity: 100 }],
    });
    const menu = await getMenu(world.database, key);
    meals.push({
      dishId: menu.dishes[0]?.id ?? '',
      sideboardId: menu.sideboards[0]?.id ?? '',
      edibleDate: DAY,
      mealType,
    });
  }
  return meals;
}

/** Two APIs and two schedulers; whoever dies is replaced. */
class Cast {
  #born = 0;
  readonly #apis: Process[];
  readonly #schedulers: Process[];

  constructor(
    private readonly world: World,
    private readonly start: (name: string) => Process,
  ) {
    this.#apis = [this.#create('api'), this.#create('api')];
    this.#schedulers = [this.#create('scheduler'), this.#create('scheduler')];
  }

  readonly api = (r: number): Process => this.#at(this.#apis, r);
  readonly scheduler = (r: number): Process => this.#at(this.#schedulers, r);

  kill(r: number): void {
    const victim = r < 0.5 ? this.api((r * 2) % 1) : this.scheduler((r * 2) % 1);
    this.world.kill(victim.process);
    for (const request of victim.requests) request.lost();
  }

  #create(kind: string): Process {
    this.#born += 1;
    return this.start(`${kind}${this.#born}`);
  }

  /** The process in this place, or the one that was started when it died. */
  #at(pool: Process[], r: number): Process {
    const i = Math.floor(r * pool.length);
    const found = pool[i] as Process;
    if (!found.process.dead) return found;
    const next = this.#create(found.process.name.replace(/\d+$/, ''));
    pool[i] = next;
    return next;
  }
}

/** No more faults and deaths; time passes; on-call requeues what was errored. A sentence: something never ends. */
async function comeToRest(world: World, cast: Cast, taken: () => void): Promise<string | null> {
  const requeued = new Map<string, number>();
  let left = '';
  for (let round = 0; round < QUIET_ROUNDS; round++) {
    if (!(await settleDown(world, taken))) return `still busy: ${left}`;
    const open = await world.database.query<{
      id: unknown;
      status: string;
      type: string;
      dedupe_key: string;
      attempt: number;
    }>(
      sql`SELECT id, status, type, dedupe_key, attempt FROM outbox_event WHERE status IN ('pending', 'errored') AND type NOT IN (${join(MESSAGES)})`,
    );
    const moving = open.filter(
      (event) =>
        event.status === 'pending' ||
        (event.type !== POISON && (requeued.get(String(event.id)) ?? 0) < FINAL_REQUEUES),
    );
    left = moving.map(({ id, type, status }) => `event ${String(id)} ${type} ${status}`).join(', ');
    if (moving.length === 0 && world.waiting.length === 0) return null;
    if (moving.some(({ type, attempt }) => type === POISON && attempt > POISON_ATTEMPTS_MAX)) return left;
    for (const { id, status } of moving)
      if (status === 'errored') {
        requeued.set(String(id), (requeued.get(String(id)) ?? 0) + 1);
        world.ended.delete(String(id));
        await heard(requeue(world.database, String(id), onCall));
      }
    const onlyGhosts = moving.length > 0 && moving.every((event) => event.dedupe_key.endsWith(':ghost'));
    next(world, cast, onlyGhosts ? 20 * 60_000 : 5_000);
  }
  return left;
}

async function pass(world: World, cast: Cast, ms: number, taken: () => void): Promise<void> {
  await settleDown(world, taken);
  next(world, cast, ms);
}

function next(world: World, { scheduler }: Cast, ms: number): void {
  world.advance(ms);
  for (const r of [0, 0.5]) scheduler(r).poll();
}

/** Everybody takes all turns that can be taken now. What a timer woke takes its next turn a moment later; nobody may stand in an open transaction when we look. */
async function settleDown(world: World, taken: () => void): Promise<boolean> {
  for (let i = 0, idle = 0; idle < 3; i++) {
    if (i > TURNS_MAX) return false;
    idle = world.waiting.length > 0 ? 0 : idle + 1;
    taken();
    world.step(world.random());
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}
