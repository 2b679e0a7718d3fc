import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { Database } from '../database/database.js';
import type { Held, RunDependencies } from './attempt.js';
import { Breaker, type BreakerView } from './breaker.js';
import { type Claim, dueInMs, soonest } from './claim.js';
import { Claimer, type HeldClaim } from './claimer.js';
import { runInline } from './inline.js';
import { Registry } from './registry.js';
import { Leases } from './renew.js';
import { run } from './run.js';
import type { SettleHooks } from './settle.js';
import { Settler } from './settle-group.js';
import { Signals } from './signals.js';
import { Slots } from './slots.js';
import { type QueueRow, selectMoving, selectNextDue, type Wanted } from './statements.js';
import type { EventHandler } from './types.js';

export interface OutboxOptions {
  readonly leaseMs: number;
  readonly failuresMax: number;
  readonly retryDelayMs: number;
  /** Rows the first claim of a sweep takes; in a backlog, and where there is room, later claims take more. */
  readonly batchSize: number;
  /** Attempts that may run at once for each target in this process. */
  readonly concurrencyPerTarget: number;
  readonly random?: () => number;
  /** Monotonic milliseconds, for the pauses of breakers. */
  readonly nowMs?: () => number;
  /** How long an attempt waits for the group before it to be settled. Milliseconds. */
  readonly patienceMs?: number;
}

/** Rows a claim takes at the most. */
const CLAIM_MAX = 100;
/** While more attempts than these wait to be settled, nothing is claimed. */
const SETTLING_MAX = 400;

/** `crowded`: some types were left out of the claim, because too few of their slots are free. */
type Claimed = Pick<Claim, 'rows' | 'leftAlone' | 'full' | 'nextDueInMs'> & { readonly crowded: boolean };

/** The engine of a process: carries out the events of some keys now (inline), or claims a batch. */
export class Outbox {
  readonly signals = new Signals();
  readonly registry: Registry;
  /** Names this process in leases and journals; new with each start. */
  readonly worker = `${os.hostname().slice(0, 60)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #engine: RunDependencies;
  readonly #claimer: Claimer;
  readonly #shutdown = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #slots: Slots;
  readonly #breakers = new Map<string, Breaker>();
  readonly #onEnded: (() => void)[] = [];

  constructor(
    readonly database: Database,
    handlers: readonly EventHandler<never>[],
    readonly options: OutboxOptions,
    hooks: SettleHooks = {},
  ) {
    const { signals, worker } = this;
    const { leaseMs, failuresMax, retryDelayMs, random = Math.random, patienceMs } = options;
    const registry = new Registry(handlers);
    const leases = new Leases(database, signals, { leaseMs, worker });
    const breakerOf = (target: string): Breaker => this.breakerOf(target);
    this.registry = registry;
    this.#slots = new Slots(registry, breakerOf, options.concurrencyPerTarget);
    this.#claimer = new Claimer({ database, registry, leases, signals, worker, leaseMs });
    this.#engine = {
      ...{ database, leases, signals, breakerOf, failuresMax, retryDelayMs, random },
      settler: new Settler(database, hooks, patienceMs),
      shutdown: this.#shutdown.signal,
    };
  }

  /** Failed attempts until an event of this type is errored. */
  failuresMax(type: string): number {
    return this.registry.find(type)?.limits.failuresMax ?? this.options.failuresMax;
  }

  /** Events this process holds: attempts under way, and what is claimed ahead of them. */
  get runningCount(): number {
    return this.#running.size + this.#slots.waitingCount;
  }

  /**
   * Claims as many events as there is room for and starts them. Resolves when the attempts have started, not
   * when they have ended. `deadlineFirst`: there is a backlog, so twice as many are claimed as there are
   * slots, and wait in this process for the next free slot.
   */
  async claimAndStart(
    request: Pick<Wanted, 'lookAheadMs' | 'deadlineFirst' | 'onlyTypes'> = {},
  ): Promise<Claimed | 'no-slot'> {
    if (this.#isSettlingTooMany) return 'no-slot';
    const isBacklog = request.deadlineFirst === true;
    const { wide, narrow, held, crowded } = this.#slots.rooms(isBacklog);
    if (wide.types.length + narrow.types.length === 0 && this.#running.size > 0) return 'no-slot';
    const most = isBacklog ? Math.max(this.options.batchSize, CLAIM_MAX) : this.options.batchSize;
    const claims: HeldClaim[] = [];
    const onlyTypes = narrow.types.filter((type) => request.onlyTypes?.includes(type) ?? true);
    if (onlyTypes.length > 0)
      claims.push(await this.#claimNext({ ...request, limit: Math.min(most, narrow.count), onlyTypes }));
    if (wide.types.length + held.types.length > 0) {
      const types = { withoutTypes: [...narrow.types, ...crowded.types], heldTypes: held.types };
      claims.push(await this.#claimNext({ ...request, limit: Math.min(most, wide.count), ...types }));
    }
    const pausesMs = [...this.#breakers.values()].map(({ opensInMs }) => opensInMs);
    return {
      rows: claims.flatMap(({ rows }) => rows),
      leftAlone: claims.flatMap(({ leftAlone }) => leftAlone),
      full: claims.some(({ full }) => full),
      nextDueInMs: soonest([...claims.map(({ nextDueInMs }) => nextDueInMs), ...pausesMs]),
      crowded: crowded.types.length > 0,
    };
  }

  async #claimNext(wanted: Wanted): Promise<HeldClaim> {
    const claimed = await this.#claimer.claimNext(wanted);
    for (const held of claimed.held) if (this.#slots.enter(held)) void this.#start(held);
    return claimed;
  }

  get #isSettlingTooMany(): boolean {
    return this.#running.size - this.#slots.busyCount > SETTLING_MAX;
  }

  /** Milliseconds until the next event falls due, 0 when some are due; null: none within `lookAheadMs`. */
  async nextDueInMs(lookAheadMs: number): Promise<number | null> {
    const [row] = await this.database.query<Pick<QueueRow, 'queueAt' | 'now'>>(selectNextDue(lookAheadMs));
    return row ? Math.max(0, dueInMs(row)) : null;
  }

  breakerOf(target: string): Breaker {
    const known = this.#breakers.get(target);
    if (known) return known;
    const onChange = (view: BreakerView): void => {
      this.signals.emit('breaker', view);
      if (view.state === 'open') this.#handBack(`${target} is down`, target);
    };
    const breaker = new Breaker(target, onChange, this.options.nowMs);
    this.#breakers.set(target, breaker);
    return breaker;
  }

  /** How each vendor looks from this process. */
  breakers(): BreakerView[] {
    return [...this.#breakers.values()].map((breaker) => breaker.view);
  }

  /**
   * Carries out, in this process, the due events of these keys in their order, until none is left, `budgetMs`
   * is over, or none of them can move: paused, held by a breaker, waiting for later. What is still running
   * then goes on by itself; what has not started is left to the schedulers. Never throws: without a database,
   * too, the events are recorded.
   */
  async runInline(orderingKeys: readonly string[], budgetMs: number): Promise<void> {
    const engine = {
      claimer: this.#claimer,
      shutdown: this.#shutdown.signal,
      heldTypes: () => this.#slots.rooms(false).held.types,
      startAtOnce: (held: Held) => {
        this.#slots.enterAtOnce(held);
        return this.#start(held);
      },
      isMoving: async (...about: Parameters<typeof selectMoving>) =>
        (await this.database.query(selectMoving(...about))).length > 0,
    };
    const work = runInline(engine, orderingKeys, performance.now() + budgetMs).catch((error: unknown) =>
      this.signals.emit('sweep-failed', { error }),
    );
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, budgetMs);
    });
    await Promise.race([work, over]).finally(() => clearTimeout(timer));
  }

  /** Resolves when an attempt that runs has been settled, or at once when nothing runs. */
  async oneEnded(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onEnded.push(resolve));
  }

  /** After a claim that met full slots: resolves when it is worth claiming again. */
  async untilRoom(): Promise<void> {
    await (this.#isSettlingTooMany ? this.oneEnded() : this.#slots.untilRoom());
  }

  /** Waits for what runs and, after `graceMs`, aborts and hands it back; what has not started, at once. */
  async drain(graceMs: number): Promise<void> {
    const over = new Error('the process is shutting down');
    this.#handBack(over.message);
    const abort = (): void => {
      this.#shutdown.abort(over);
      this.#engine.leases.abortAll(over);
    };
    const timer = setTimeout(abort, graceMs);
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
    clearTimeout(timer);
    abort();
  }

  /** Events claimed ahead go back into the queue: due at once, nothing counted. */
  #handBack(reason: string, target?: string): void {
    for (const held of this.#slots.takeWaiting(target)) void this.#start(held, reason);
  }

  /** The event has a slot. */
  #start(held: Held, handBack?: string): Promise<void> {
    let isAnswered = false;
    const answered = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      const next = this.#slots.leave(held);
      if (next) void this.#start(next);
    };
    const attempt = run(this.#engine, held, { handBack, answered }).finally(() => {
      this.#running.delete(attempt);
      this.#claimer.ended(held);
      for (const resolve of this.#onEnded.splice(0)) resolve();
    });
    this.#running.add(attempt);
    return attempt;
  }
}
