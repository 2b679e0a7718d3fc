import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { Database } from '../database/database.js';
import { after, fromSqlInstant, join, now, sql } from '../database/sql.js';
import { Breaker, type BreakerView } from './breaker.js';
import { type Claim, type ClaimRequest, claim } from './claim.js';
import { Registry } from './registry.js';
import { Leases } from './renew.js';
import { type RunDependencies, run } from './run.js';
import type { SettleHooks } from './settle.js';
import { Settler } from './settle-group.js';
import { Signals } from './signals.js';
import type { EventHandler } from './types.js';

export interface OutboxOptions {
  readonly leaseMs: number;
  readonly failuresMax: number;
  readonly retryDelayMs: number;
  /** Rows a claim takes. */
  readonly batchSize: number;
  /** Attempts that may run at once for each target in this process. */
  readonly concurrencyPerTarget: number;
  readonly random?: () => number;
  /** Monotonic milliseconds, for the pauses of breakers. */
  readonly nowMs?: () => number;
}

const INLINE_LOOK_MS = 30;

interface Slot {
  readonly target: string;
  readonly types: readonly string[];
  readonly free: number;
  readonly held: boolean;
}

/** What this process can do with events: carry out those of some keys now (inline), or claim and start a batch (the poller). */
export class Outbox {
  readonly signals = new Signals();
  readonly registry: Registry;
  /** Names this process in leases and journals; new with each start. */
  readonly worker = `${os.hostname().slice(0, 60)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #dependencies: RunDependencies;
  readonly #shutdown = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #busy = new Map<string, number>();
  readonly #breakers = new Map<string, Breaker>();

  constructor(
    readonly database: Database,
    handlers: readonly EventHandler<never>[],
    readonly options: OutboxOptions,
    hooks: SettleHooks = {},
  ) {
    this.registry = new Registry(handlers);
    this.#dependencies = {
      database,
      registry: this.registry,
      breakerOf: (target) => this.breakerOf(target),
      leases: new Leases(database, this.signals, { leaseMs: options.leaseMs, worker: this.worker }),
      signals: this.signals,
      settler: new Settler(database, hooks),
      failuresMax: options.failuresMax,
      retryDelayMs: options.retryDelayMs,
      random: options.random ?? Math.random,
      shutdown: this.#shutdown.signal,
    };
  }

  /** Failed attempts until an event of this type is errored. */
  failuresMax(type: string): number {
    return this.registry.find(type)?.limits.failuresMax ?? this.options.failuresMax;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Claims one batch and starts it. Resolves when the attempts have started, not when they have ended. */
  async claimAndStart(request: Pick<ClaimRequest, 'lookAheadMs' | 'deadlineFirst' | 'onlyTypes'> = {}): Promise<Claim | 'no-slot'> {
    const slots = this.#slots();
    const free = slots.filter((slot) => slot.free > 0).map((slot) => slot.free);
    const opensInMs = Math.min(...slots.map((slot) => this.breakerOf(slot.target).opensInMs ?? Number.POSITIVE_INFINITY));
    if (free.length === 0 && this.#running.size > 0) return 'no-slot';
    const limit = Math.min(this.options.batchSize, ...free);
    const typesOf = (wanted: (slot: Slot) => boolean): string[] => slots.filter(wanted).flatMap((slot) => slot.types);
    const withoutTypes = typesOf((slot) => slot.free === 0 && !slot.held);
    const heldTypes = typesOf((slot) => slot.free === 0 && slot.held);
    const claimedAtMs = performance.now();
    const claimed = await claim(this.database, this.registry, {
      limit,
      worker: this.worker,
      leaseMs: this.options.leaseMs,
      trigger: 'poll',
      withoutTypes,
      heldTypes,
      ...request,
    });
    this.#announce(claimed, 'poll');
    for (const row of claimed.rows) void this.#start(row, claimedAtMs);
    const nextDueInMs = Math.min(claimed.nextDueInMs ?? Number.POSITIVE_INFINITY, opensInMs);
    return { ...claimed, nextDueInMs: Number.isFinite(nextDueInMs) ? nextDueInMs : null };
  }

  /** Milliseconds until the next event in the queue falls due, 0 when one is; null when none does within `lookAheadMs`. One statement, by the queue's index. */
  async nextDueInMs(lookAheadMs: number): Promise<number | null> {
    const [row] = await this.database.query<{ queue_at: unknown; now: unknown }>(
      sql`SELECT queue_at, ${now} AS now FROM outbox_event WHERE queue_at <= ${after(lookAheadMs)} ORDER BY queue_at LIMIT 1`,
    );
    return row ? Math.max(0, fromSqlInstant(row.queue_at).getTime() - fromSqlInstant(row.now).getTime()) : null;
  }

  breakerOf(target: string): Breaker {
    const known = this.#breakers.get(target);
    if (known) return known;
    const breaker = new Breaker(target, (view) => void this.signals.emit('breaker', view), this.options.nowMs);
    this.#breakers.set(target, breaker);
    return breaker;
  }

  /** How each vendor looks from this process. */
  breakers(): BreakerView[] {
    return [...this.#breakers.values()].map((breaker) => breaker.view);
  }

  /** What may start, for each vendor: `held` is one whose breaker lets nothing through. */
  #slots(): Slot[] {
    const targets = new Map<string, string[]>();
    for (const { target, definition } of this.registry.all()) targets.set(target, [...(targets.get(target) ?? []), definition.type]);
    return [...targets].map(([target, types]) => {
      const breaker = this.breakerOf(target);
      const free = breaker.freeSlots(this.options.concurrencyPerTarget, this.#busy.get(target) ?? 0);
      return { target, types, free, held: breaker.isOpen };
    });
  }

  /**
   * Carries out, in this process, the events of these keys that are due, one after the other in their order, until none is left or
   * `budgetMs` is over. What is still running then goes on by itself; what has not started is left to the schedulers.
   */
  async runInline(orderingKeys: readonly string[], budgetMs: number): Promise<void> {
    const deadline = performance.now() + budgetMs;
    let mine: Promise<void>[] = [];
    const work = (async () => {
      while (performance.now() < deadline && !this.#shutdown.signal.aborted) {
        const claimedAtMs = performance.now();
        const claimed = await claim(this.database, this.registry, {
          limit: 10,
          worker: this.worker,
          leaseMs: this.options.leaseMs,
          trigger: 'inline',
          only: { orderingKeys, ids: [] },
        });
        this.#announce(claimed, 'inline');
        mine = [...mine, ...claimed.rows.map((row) => this.#start(row, claimedAtMs))];
        if (mine.length === 0) {
          // A scheduler may have been faster, or the key waits for a moment: stay for it, within the budget.
          if (!(await this.#movesWithin(orderingKeys, deadline - performance.now()))) return;
          await new Promise((resolve) => setTimeout(resolve, INLINE_LOOK_MS));
          continue;
        }
        // The first to end may have let the next of its key go on.
        const { ended } = await Promise.race(mine.map((attempt) => attempt.then(() => ({ ended: attempt }))));
        mine = mine.filter((attempt) => attempt !== ended);
      }
    })();
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, budgetMs);
    });
    await Promise.race([work, over]).finally(() => clearTimeout(timer));
    work.catch((error: unknown) => this.signals.emit('sweep-failed', { error }));
  }

  /** Is anything of these keys running, or due within `ms`? */
  async #movesWithin(orderingKeys: readonly string[], ms: number): Promise<boolean> {
    const rows = await this.database.query(sql`
      SELECT id FROM outbox_event WHERE ordering_key IN (${join(orderingKeys)}) AND status = 'pending' AND (lease_until IS NOT NULL OR queue_at <= ${after(ms)}) LIMIT 1`);
    return rows.length > 0;
  }

  /** Resolves when something that runs has ended, or at once when nothing runs. */
  async oneEnded(): Promise<void> {
    if (this.#running.size > 0) await Promise.race(this.#running);
  }

  /** Waits for what runs; what is not done after `graceMs` is aborted and handed back. */
  async drain(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#shutdown.abort(new Error('the process is shutting down')), graceMs);
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
    clearTimeout(timer);
    this.#shutdown.abort(new Error('the process is shutting down'));
  }

  #start(row: Claim['rows'][number], claimedAtMs: number): Promise<void> {
    const target = this.registry.find(row.type)?.target ?? '';
    this.#busy.set(target, (this.#busy.get(target) ?? 0) + 1);
    const attempt = run(this.#dependencies, row, claimedAtMs).finally(() => {
      this.#busy.set(target, (this.#busy.get(target) ?? 1) - 1);
      this.#running.delete(attempt);
    });
    this.#running.add(attempt);
    return attempt;
  }

  #announce(claimed: Claim, trigger: string): void {
    if (claimed.rows.length > 0) this.signals.emit('claimed', { ids: claimed.rows.map((row) => row.id), worker: this.worker, trigger });
    for (const kind of claimed.leftAlone) this.signals.emit('left-alone', kind);
  }
}
