import type { Answer, CallContext, Carrier, Request } from '../../src/clients/transport.js';
import type { Clock } from '../../src/clock.js';
import { Database, type Queryable, type Tx } from '../../src/database/database.js';
import { type Sql, sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { understandEnergy } from '../../src/sandbox/energy.js';
import { Ledger } from '../../src/sandbox/ledger.js';
import { understandMeican } from '../../src/sandbox/meican.js';
import type { Understood, VendorOptions } from '../../src/sandbox/vendor.js';

/** A process of the simulation. A killed one simply never goes on: every promise it waits for stays open. */
export interface SimProcess {
  readonly name: string;
  dead: boolean;
}

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
}

/** One shared world: database, vendors, time; and the turns in which everybody's next step is taken. */
export class World {
  readonly waiting: Waiting[] = [];
  readonly ledger = new Ledger(undefined);
  readonly clock: VirtualClock;
  readonly chaos: Chaos = { faults: 0 };
  faultsInjected = 0;
  /** Settlings that came too late and were written all the same. */
  zombieWrites = 0;
  readonly #vendors: VendorOptions;

  private constructor(
    readonly random: () => number,
    readonly database: Database,
    clock: VirtualClock,
    private readonly rewrite: Rewrite,
    legacyMode: boolean,
  ) {
    this.clock = clock;
    this.#vendors = { ledger: this.ledger, now: clock.now, legacyMode, settings: sandboxSecrets, later: (ms, work) => clock.later(ms, work) };
  }

  static async create(random: () => number, rewrite: Rewrite, legacyMode: boolean): Promise<World> {
    const clock = new VirtualClock(Date.parse('2026-11-23T00:00:00Z'));
    return new World(random, await Database.open({ url: 'sqlite::memory:', clock }), clock, rewrite, legacyMode);
  }

  /** Lets one who waits go on, chosen by chance; true if there was one. */
  step(): boolean {
    const [chosen] = this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1);
    chosen?.go();
    return chosen !== undefined;
  }

  kill(process: SimProcess): void {
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
      query: <T extends object>(statement: Sql) => outside(() => database.query<T>(this.rewrite(statement))),
      execute: (statement: Sql) => outside(() => database.execute(this.rewrite(statement))),
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
        return tx.query<T>(this.rewrite(statement));
      },
      execute: async (statement: Sql) => {
        await this.#turn(process, true);
        const late = await this.#comesTooLate(tx, statement);
        const executed = await tx.execute(this.rewrite(statement));
        if (late && executed.affected > 0) this.zombieWrites += 1;
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

  /** Is this a settling by a worker whose event has been claimed again since? It must change nothing. */
  async #comesTooLate(tx: Tx, statement: Sql): Promise<boolean> {
    if (!/^\s*UPDATE outbox_event SET status = /.test(statement.strings[0] ?? '') || !statement.strings.some((text) => text.includes('AND attempt = ')))
      return false;
    const [id, attempt] = statement.values.slice(-2);
    const [row] = await tx.query<{ attempt: number }>(sql`SELECT attempt FROM outbox_event WHERE id = ${String(id)}`);
    return row !== undefined && row.attempt !== attempt;
  }

  carrierOf(process: SimProcess, vendor: 'meican' | 'energy', alter: (body: string) => string = (body) => body): Carrier {
    return {
      pathOf: (path) => `/${vendor}${path}`,
      close: () => {},
      send: async (request, _context: CallContext) => {
        await this.#turn(process, false);
        const answer = this.#deliver(vendor, request.body === null ? request : { ...request, body: alter(request.body) });
        await this.#turn(process, false);
        return answer;
      },
    };
  }

  #deliver(vendor: 'meican' | 'energy', request: Request): Answer {
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
    if (this.random() >= this.chaos.faults) return answered(understood.apply(undefined));
    this.faultsInjected += 1;
    return this.#misbehave(understood, request.isRead);
  }

  #misbehave(understood: Understood, isRead: boolean): Answer {
    const noAnswer: Answer = { kind: 'no-answer', sent: true, code: 'ECONNRESET' };
    const apply = (): void => void understood.apply(undefined);
    switch (Math.floor(this.random() * (isRead ? 4 : 11))) {
      case 0:
        return noAnswer;
      case 1:
        return { kind: 'answer', status: 500, headers: {}, text: 'error' };
      case 2:
        return answered(understood.rateLimit());
      case 3:
        return isRead ? answered(understood.apply({ kind: 'read-lag', ms: 5_000 })) : { kind: 'no-answer', sent: false, code: 'ECONNREFUSED' };
      case 4:
      case 5:
        apply();
        return noAnswer;
      case 6:
        apply();
        return { kind: 'answer', status: 502, headers: {}, text: '<html>' };
      case 7:
        apply();
        return { kind: 'answer', status: 200, headers: {}, text: 'null' };
      default:
        this.clock.later(500 + this.random() * 4_000, apply); // within the settle window: later than that, nobody could know
        return { kind: 'answer', status: 504, headers: {}, text: '' };
    }
  }
}

function answered(reply: { status: number; headers?: Readonly<Record<string, string>>; body: string }): Answer {
  const headers = Object.fromEntries(Object.entries(reply.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
  return { kind: 'answer', status: reply.status, headers, text: reply.body };
}
