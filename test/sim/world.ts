import type { Answer, CallContext, Carrier, Request } from '../../src/clients/transport.js';
import { Database, type Queryable, type Tx } from '../../src/database/database.js';
import { join, type Sql, sql } from '../../src/database/sql.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import type { Signals } from '../../src/outbox/signals.js';
import { mulberry32 } from './chance.js';
import { VirtualClock } from './clock.js';
import { CALL_TIMEOUT_MS, Vendors } from './vendors.js';

/** A process of the simulation. A killed one simply never goes on: every promise it waits for stays open. */
export interface SimProcess {
  readonly name: string;
  dead: boolean;
}

const START_MS = Date.parse('2026-11-23T00:00:00Z');

class Killed extends Error {}
const never = new Promise<never>(() => {});

interface Waiting {
  readonly process: SimProcess;
  /** It needs the database's one connection, and holds it already or must get it first. */
  readonly kind: 'connection' | 'holder' | 'vendor';
  go(): void;
  /** Inside a transaction a kill must undo it. */
  kill(): void;
}

/** Rewrites a statement before it runs: how a mechanism is taken out, in the simulation alone. */
export type Rewrite = (statement: Sql) => Sql;

interface CallSeen {
  readonly exchange: Exchange;
  /** Its vendor answered everything like that just then. */
  readonly wasOut: boolean;
}

/** One attempt of an event, with the calls that it made. */
export interface AttemptSeen {
  readonly eventId: string;
  readonly type: string;
  readonly atMs: number;
  readonly calls: CallSeen[];
  status: string | null;
  errorCode: string | null;
}

export interface WorldOptions {
  readonly seed: number;
  readonly rewrite: Rewrite;
  readonly spared: ReadonlySet<number>;
}

/** One shared world: database, vendors, time; and the turns in which everybody's next step is taken. */
export class World {
  readonly waiting: Waiting[] = [];
  readonly clock = new VirtualClock(START_MS);
  readonly vendors: Vendors;
  database!: Database;
  /** What happened, for a person. */
  readonly story: string[] = [];
  /** Settlings that came too late and were written all the same. */
  zombieWrites = 0;
  /** Calls and local steps that began after the lease had run out. */
  readonly ranAfterEnd: string[] = [];
  readonly attempts: AttemptSeen[] = [];
  /** The highest id of an event that anybody claimed. */
  newestEvent = 1;
  /** Handled, or discarded: not to be run any more, unless requeued. */
  readonly ended = new Map<string, string>();
  /** Choices that no step decides, e.g. jitter. */
  readonly random: () => number;
  /** The transaction that holds the one connection. */
  #holder: SimProcess | null = null;

  private constructor(private readonly options: WorldOptions) {
    this.random = mulberry32(options.seed + 1);
    this.vendors = new Vendors({
      seed: options.seed,
      spared: options.spared,
      clock: this.clock,
      tell: (text) => this.tell(text),
    });
  }

  static async create(options: WorldOptions): Promise<World> {
    const world = new World(options);
    world.database = await Database.open({ url: 'sqlite::memory:', clock: world.clock });
    return world;
  }

  tell(text: string): void {
    this.story.push(`${((this.clock.ms - START_MS) / 1000).toFixed(1).padStart(7)} s  ${text}`);
  }

  /** Listens to a process: what it claims and how its attempts end. */
  watch(signals: Signals, process: SimProcess): void {
    signals.on('claimed', ({ ids }) => {
      if (process.dead) return;
      this.tell(`${process.name} claims ${ids.join(', ')}`);
      this.newestEvent = Math.max(this.newestEvent, ...ids.map(Number));
      for (const id of ids) {
        const how = this.ended.get(id);
        if (how) this.ranAfterEnd.push(`event ${id} was run again after it had been ${how}`);
      }
    });
    signals.on('attempt-ended', ({ eventId, eventType, attempt, status, decision, errorCode }) => {
      if (process.dead) return;
      if (status === 'handled') this.ended.set(eventId, status);
      const seen = this.attempts.findLast((one) => one.eventId === eventId && one.status === null);
      if (seen) [seen.status, seen.errorCode] = [status, errorCode];
      this.tell(
        `event ${eventId} ${eventType}, attempt ${attempt} by ${process.name}: ${status}, ${errorCode ?? ''} ${decision}`,
      );
    });
  }

  /** Lets one who waits go on, chosen by `r` in [0, 1); true if there was one. While a transaction is open, nobody else gets the connection. */
  step(r: number): boolean {
    const able = this.waiting.filter(({ kind }) => this.#holder === null || kind !== 'connection');
    const chosen = able[Math.floor(r * able.length)];
    if (!chosen) return false;
    this.waiting.splice(this.waiting.indexOf(chosen), 1);
    chosen.go();
    return true;
  }

  /** Time passes, but never within a transaction: nobody could do anything meanwhile. */
  advance(ms: number, isJump = false): void {
    if (this.#holder === null) this.clock.advance(ms, isJump);
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

  #turn(process: SimProcess, kind: Waiting['kind']): Promise<void> {
    const isHolder = kind === 'holder';
    if (process.dead) return isHolder ? Promise.reject(new Killed()) : never;
    return new Promise((resolve, reject) => {
      this.waiting.push({ process, kind, go: resolve, kill: () => isHolder && reject(new Killed()) });
    });
  }

  /** The database as this process uses it: a turn before each statement and around each commit, and nothing after its death. */
  databaseOf(process: SimProcess): Database {
    const { database } = this;
    const outside = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#turn(process, 'connection');
      const result = await work();
      return process.dead ? never : result;
    };
    const view: Partial<Database> = {
      query: <T extends object>(statement: Sql) =>
        outside(() => database.query<T>(this.options.rewrite(statement))),
      execute: (statement: Sql) => outside(() => database.execute(this.options.rewrite(statement))),
      now: () => outside(() => database.now()),
      transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
        await this.#turn(process, 'connection');
        this.#holder = process;
        try {
          const result = await database.transaction(async (tx) => {
            const value = await work(this.#txOf(process, tx));
            await this.#turn(process, 'holder'); // the last moment before the commit
            return value;
          });
          this.#holder = null;
          await this.#turn(process, 'vendor'); // committed, and perhaps nobody hears of it
          return result;
        } catch (error) {
          if (this.#holder === process) this.#holder = null;
          if (error instanceof Killed || process.dead) return never;
          throw error;
        }
      },
    };
    return new Proxy(database, {
      get: (target, key) =>
        (view as Record<string | symbol, unknown>)[key] ?? (Reflect.get(target, key, target) as unknown),
    });
  }

  #txOf(process: SimProcess, tx: Tx): Tx {
    const view: Partial<Queryable> = {
      query: async <T extends object>(statement: Sql) => {
        await this.#turn(process, 'holder');
        return tx.query<T>(this.options.rewrite(statement));
      },
      execute: async (statement: Sql) => {
        await this.#turn(process, 'holder');
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
    if (!/^\s*UPDATE outbox_event \? SET status = [\s\S]*AND attempt = /.test(statement.strings.join('?')))
      return { late: 0, inTime: 0 };
    const [piece, attempt] = statement.values.slice(-2);
    const ids = scalarsOf(piece);
    const rows = await tx.query<{ attempt: number }>(
      sql`SELECT attempt FROM outbox_event WHERE id IN (${join(ids.map(String))})`,
    );
    const late = rows.filter((row) => row.attempt !== attempt).length;
    return { late, inTime: ids.length - late };
  }

  /** A request travels, is answered or not, and the answer travels: each a turn, so that anything may happen in between. */
  carrierOf(process: SimProcess, vendor: 'meican' | 'energy'): Carrier {
    return {
      pathOf: (path) => `/${vendor}${path.split('?')[0] ?? ''}`,
      close: () => {},
      send: (request, context) => this.#send(process, vendor, request, context),
    };
  }

  #send(
    process: SimProcess,
    vendor: 'meican' | 'energy',
    request: Request,
    context: CallContext,
  ): Promise<Answer> {
    const { signal } = context;
    if (process.dead) return never;
    if (signal?.aborted) return Promise.resolve({ kind: 'no-answer', sent: false, code: 'ABORTED' });
    const sentAtMs = this.clock.ms;
    return new Promise((resolve) => {
      const end = (answer: Answer): void => {
        this.clock.cancel(timer);
        signal?.removeEventListener('abort', aborted);
        resolve(answer);
      };
      const timer = this.clock.later(CALL_TIMEOUT_MS, () =>
        end({ kind: 'no-answer', sent: true, code: 'TIMEOUT' }),
      );
      const aborted = (): void => end({ kind: 'no-answer', sent: true, code: 'ERR_CANCELED' });
      signal?.addEventListener('abort', aborted);
      void (async () => {
        await this.#turn(process, 'vendor');
        if (this.clock.ms - sentAtMs > CALL_TIMEOUT_MS) return; // lost on the way: nothing travels for longer
        const { answer, afterMs } = this.vendors.deliver(process.name, vendor, request, context);
        if (afterMs > 0) await this.clock.sleep(afterMs);
        if (answer.kind === 'no-answer' && answer.code === 'ETIMEDOUT') return; // the caller's own patience ends it
        await this.#turn(process, 'vendor');
        end(answer);
      })();
    });
  }
}

/** The bound values of a piece of SQL, in their order. */
function scalarsOf(value: Sql['values'][number] | undefined): unknown[] {
  return value !== null && typeof value === 'object' && 'strings' in value
    ? value.values.flatMap(scalarsOf)
    : [value];
}
