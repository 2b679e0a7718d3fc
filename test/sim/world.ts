import type { Answer, CallContext, Carrier, Request } from '../../src/clients/transport.js';
import type { Clock } from '../../src/clock.js';
import { Database, type Queryable, type Tx } from '../../src/database/database.js';
import { join, type Sql, sql } from '../../src/database/sql.js';
import type { Signals } from '../../src/outbox/signals.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { understandEnergy } from '../../src/sandbox/energy.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { Ledger } from '../../src/sandbox/ledger.js';
import { understandMeican } from '../../src/sandbox/meican.js';
import type { Understood, VendorOptions } from '../../src/sandbox/vendor.js';

/** A process of the simulation. A killed one simply never goes on: every promise it waits for stays open. */
export interface SimProcess {
  readonly name: string;
  dead: boolean;
}

/** A late effect and an old list together stay within the settle window of 30 s: later than that, nobody could know. */
const LATE_MAX_MS = 24_000;
const READ_LAG_MS = 5_000;
const START_MS = Date.parse('2026-11-23T00:00:00Z');

class Killed extends Error {}
const never = new Promise<never>(() => {});

interface Waiting {
  readonly process: SimProcess;
  go(): void;
  /** Inside a transaction a kill must undo it. */
  kill(): void;
}

/** Time that passes only when the simulation says so. */
export class VirtualClock implements Clock {
  #timers: { atMs: number; fire: () => void }[] = [];
  constructor(public ms: number) {}
  now = (): number => this.ms;
  monotonic = (): number => this.ms;
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }
  later(ms: number, fire: () => void): void {
    this.#timers.push({ atMs: this.ms + ms, fire });
  }
  advance(ms: number): void {
    this.ms += ms;
    const due = this.#timers.filter((timer) => timer.atMs <= this.ms);
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.ms);
    for (const timer of due) timer.fire();
  }
}

/** Rewrites a statement before it runs: how a mechanism is taken out, in the simulation alone. */
export type Rewrite = (statement: Sql) => Sql;

export interface Chaos {
  /** 0 to 1, for each vendor call. */
  faults: number;
  /** Faults, by their number, that are left out: how a story is made shorter. */
  readonly spared: ReadonlySet<number>;
}

export interface WorldOptions {
  /** Meican refuses every connection for so long from the start. Milliseconds. */
  readonly outageMs: number;
  readonly seed: number;
  readonly rewrite: Rewrite;
  readonly legacyMode: boolean;
  readonly spared: ReadonlySet<number>;
}

/** One shared world: database, vendors, time; and the turns in which everybody's next step is taken. */
export class World {
  readonly waiting: Waiting[] = [];
  readonly ledger = new Ledger(undefined);
  readonly clock: VirtualClock;
  readonly chaos: Chaos;
  faultsInjected = 0;
  /** What happened, for a person. */
  readonly story: string[] = [];
  /** Settlings that came too late and were written all the same. */
  zombieWrites = 0;
  readonly ranAfterHandled: string[] = [];
  /** The highest id of an event that anybody claimed. */
  newestEvent = 1;
  readonly #handled = new Set<string>();
  readonly #vendors: VendorOptions;

  readonly #callsTo = new Map<string, number>();
  /** Choices that no step decides, e.g. jitter. */
  readonly random: () => number;

  private constructor(
    readonly database: Database,
    clock: VirtualClock,
    private readonly options: WorldOptions,
  ) {
    this.clock = clock;
    this.random = mulberry32(options.seed + 1);
    this.chaos = { faults: 0, spared: options.spared };
    const { legacyMode } = options;
    this.#vendors = { ledger: this.ledger, now: clock.now, legacyMode, settings: sandboxSecrets, later: (ms, work) => clock.later(ms, work) };
  }

  static async create(options: WorldOptions): Promise<World> {
    const clock = new VirtualClock(START_MS);
    return new World(await Database.open({ url: 'sqlite::memory:', clock }), clock, options);
  }

  tell(text: string): void {
    this.story.push(`${((this.clock.ms - START_MS) / 1000).toFixed(1).padStart(7)} s  ${text}`);
  }

  /** Listens to a process: what it claims and how its attempts end. */
  watch(signals: Signals, process: SimProcess): void {
    signals.on('claimed', ({ ids }) => {
      this.tell(`${process.name} claims ${ids.join(', ')}`);
      this.newestEvent = Math.max(this.newestEvent, ...ids.map(Number));
      for (const id of ids) if (this.#handled.has(id)) this.ranAfterHandled.push(id);
    });
    signals.on('attempt-ended', ({ eventId, eventType, attempt, status, decision }) => {
      if (status === 'handled') this.#handled.add(eventId);
      this.tell(`event ${eventId} ${eventType}, attempt ${attempt} by ${process.name}: ${status}, ${decision}`);
    });
  }

  /** Lets one who waits go on, chosen by `r` in [0, 1); true if there was one. */
  step(r: number): boolean {
    const [chosen] = this.waiting.splice(Math.floor(r * this.waiting.length), 1);
    chosen?.go();
    return chosen !== undefined;
  }

  kill(process: SimProcess): void {
    if (process.dead) return;
    this.tell(`${process.name} dies`);
    process.dead = true;
    const its = this.waiting.filter((one) => one.process === process);
    for (const one of its) {
      this.waiting.splice(this.waiting.indexOf(one), 1);
      one.kill();
    }
  }

  #turn(process: SimProcess, inTransaction: boolean): Promise<void> {
    if (process.dead) return inTransaction ? Promise.reject(new Killed()) : never;
    return new Promise((resolve, reject) => {
      this.waiting.push({ process, go: resolve, kill: () => inTransaction && reject(new Killed()) });
    });
  }

  /** The database as this process uses it: a turn before each statement and around each commit, and nothing after its death. */
  databaseOf(process: SimProcess): Database {
    const { database } = this;
    const outside = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#turn(process, false);
      const result = await work();
      return process.dead ? never : result;
    };
    const view: Partial<Database> = {
      query: <T extends object>(statement: Sql) => outside(() => database.query<T>(this.options.rewrite(statement))),
      execute: (statement: Sql) => outside(() => database.execute(this.options.rewrite(statement))),
      now: () => outside(() => database.now()),
      transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
        await this.#turn(process, false);
        try {
          const result = await database.transaction(async (tx) => {
            const value = await work(this.#txOf(process, tx));
            await this.#turn(process, true); // the last moment before the commit
            return value;
          });
          await this.#turn(process, false); // committed, and perhaps nobody hears of it
          return result;
        } catch (error) {
          if (error instanceof Killed || process.dead) return never;
          throw error;
        }
      },
    };
    return new Proxy(database, { get: (target, key) => (view as Record<string | symbol, unknown>)[key] ?? (Reflect.get(target, key, target) as unknown) });
  }

  #txOf(process: SimProcess, tx: Tx): Tx {
    const view: Partial<Queryable> = {
      query: async <T extends object>(statement: Sql) => {
        await this.#turn(process, true);
        return tx.query<T>(this.options.rewrite(statement));
      },
      execute: async (statement: Sql) => {
        await this.#turn(process, true);
        const { late, inTime } = await this.#settledBy(tx, statement);
        const executed = await tx.execute(this.options.rewrite(statement));
        if (late > 0 && executed.affected > inTime) this.zombieWrites += 1;
        return executed;
      },
    };
    return new Proxy(tx, {
      get: (target, key) => {
        const own = (view as Record<string | symbol, unknown>)[key];
        if (own) return own;
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Of the events that this settles: how many have been claimed again since by another worker? Of those it must change nothing. */
  async #settledBy(tx: Tx, statement: Sql): Promise<{ late: number; inTime: number }> {
    if (!/^\s*UPDATE outbox_event \? SET status = [\s\S]*AND attempt = /.test(statement.strings.join('?'))) return { late: 0, inTime: 0 };
    const [piece, attempt] = statement.values.slice(-2);
    const ids = scalarsOf(piece);
    const rows = await tx.query<{ attempt: number }>(sql`SELECT attempt FROM outbox_event WHERE id IN (${join(ids.map(String))})`);
    const late = rows.filter((row) => row.attempt !== attempt).length;
    return { late, inTime: ids.length - late };
  }

  carrierOf(process: SimProcess, vendor: 'meican' | 'energy'): Carrier {
    return {
      pathOf: (path) => `/${vendor}${path}`,
      close: () => {},
      send: async (request, _context: CallContext) => {
        await this.#turn(process, false);
        const answer = this.#deliver(process, vendor, request);
        await this.#turn(process, false);
        return answer;
      },
    };
  }

  #deliver(process: SimProcess, vendor: 'meican' | 'energy', request: Request): Answer {
    const url = new URL(`http://sim/${vendor}${request.path}`);
    const understand = vendor === 'meican' ? understandMeican : understandEnergy;
    const understood = understand(this.#vendors, {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: request.body ?? '',
    });
    if (!understood) throw new Error(`no vendor understands ${request.method} ${request.path}`);
    if (vendor === 'meican' && this.clock.ms < START_MS + this.options.outageMs) {
      this.tell(`${process.name} → meican: connection refused`);
      return { kind: 'no-answer', sent: false, code: 'ECONNREFUSED' };
    }
    const chance = this.#chanceOf(`${request.method} ${url.pathname}`);
    // In some worlds a write goes wrong every other time, and is done later: so late that the next attempt comes first.
    const isLate = !request.isRead && this.options.seed % 4 === 3;
    const name = `${process.name} → ${vendor} ${request.method} ${url.pathname.split('/').slice(-1)[0]}`;
    if (chance() >= (isLate && this.chaos.faults > 0 ? 0.5 : this.chaos.faults) || this.chaos.spared.has(++this.faultsInjected)) {
      const reply = understood.apply(undefined);
      this.tell(`${name}: ${reply.body.slice(0, 100)}`);
      return answered(reply);
    }
    return this.#misbehave(understood, { isRead: request.isRead, isLate }, chance, (what) => this.tell(`${name}: fault ${this.faultsInjected}: ${what}`));
  }

  /** Each call of an address has luck of its own, so that leaving a step out does not change everybody else's. */
  #chanceOf(address: string): () => number {
    const nth = (this.#callsTo.get(address) ?? 0) + 1;
    this.#callsTo.set(address, nth);
    let hash = this.options.seed ^ 0x811c9dc5;
    for (const character of `${address}#${nth}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    return mulberry32(hash);
  }

  #misbehave(understood: Understood, { isRead, isLate }: { isRead: boolean; isLate: boolean }, chance: () => number, tell: (what: string) => void): Answer {
    const noAnswer: Answer = { kind: 'no-answer', sent: true, code: 'ECONNRESET' };
    const apply = (): void => void understood.apply(undefined);
    const fault = isLate ? 14 : Math.floor(chance() * (isRead ? 4 : 14));
    switch (fault) {
      case 0:
        tell('not done, connection dropped');
        return noAnswer;
      case 1:
        tell('not done, HTTP 500');
        return { kind: 'answer', status: 500, headers: {}, text: 'error' };
      case 2:
        tell('not done, rate limit');
        return answered(understood.rateLimit());
      case 3:
        if (!isRead) {
          tell('not reached, connection refused');
          return { kind: 'no-answer', sent: false, code: 'ECONNREFUSED' };
        }
        tell('a list five seconds old');
        return answered(understood.apply({ kind: 'read-lag', ms: READ_LAG_MS }));
      case 4:
      case 5:
        tell('done, connection dropped');
        apply();
        return noAnswer;
      case 6:
        tell('done, HTTP 502');
        apply();
        return { kind: 'answer', status: 502, headers: {}, text: '<html>' };
      case 7:
        tell('done, answered null');
        apply();
        return { kind: 'answer', status: 200, headers: {}, text: 'null' };
      default: {
        const ms = isLate ? LATE_MAX_MS * (0.5 + chance() / 2) : 500 + chance() * LATE_MAX_MS;
        tell(`HTTP 504, and done ${Math.round(ms)} ms later`);
        this.clock.later(ms, () => {
          this.tell('… the late effect arrives');
          apply();
        });
        return { kind: 'answer', status: 504, headers: {}, text: '' };
      }
    }
  }
}

function answered(reply: { status: number; headers?: Readonly<Record<string, string>>; body: string }): Answer {
  const headers = Object.fromEntries(Object.entries(reply.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
  return { kind: 'answer', status: reply.status, headers, text: reply.body };
}

/** The bound values of a piece of SQL, in their order. */
function scalarsOf(value: Sql['values'][number] | undefined): unknown[] {
  return value !== null && typeof value === 'object' && 'strings' in value ? value.values.flatMap(scalarsOf) : [value];
}
