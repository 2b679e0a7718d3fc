import { randomUUID } from 'node:crypto';
import os from 'node:os';
import type { Database } from '../database/database.js';
import { after, fromSqlInstant, join, now, raw, sql } from '../database/sql.js';
import { Breaker, type BreakerView } from './breaker.js';
import { type Claim, type ClaimRequest, claim, isSuspect, type Place } from './claim.js';
import { notPaused } from './paused.js';
import { Registry } from './registry.js';
import { Leases } from './renew.js';
import { type Held, type RunDependencies, run } from './run.js';
import type { SettleHooks } from './settle.js';
import { Settler } from './settle-group.js';
import { Signals } from './signals.js';
import { type Room, Slots } from './slots.js';
import type { EventHandler } from './types.js';

export interface OutboxOptions {
  readonly leaseMs: number;
  readonly failuresMax: number;
  readonly retryDelayMs: number;
  /** Rows the first claim of a sweep takes; in a backlog, and where there is room, later ones take more. */
  readonly batchSize: number;
  /** Attempts that may run at once for each target in this process. */
  readonly concurrencyPerTarget: number;
  readonly random?: () => number;
  /** Monotonic milliseconds, for the pauses of breakers. */
  readonly nowMs?: () => number;
  /** How long an attempt waits for the group before it to be settled. Milliseconds. */
  readonly patienceMs?: number;
}

/** An inline run that waits for somebody else looks again after so long; each time twice as long, up to the second. Milliseconds. */
const INLINE_LOOK_MS = 30;
const INLINE_LOOK_MAX_MS = 240;

/** Rows one claim takes at the most. */
const CLAIM_MAX = 100;
/** In a backlog a claim goes on where the one before it ended; for so long, then it looks from the start again. Milliseconds. */
const GO_ON_MS = 500;
/** Attempts that wait to be settled: more than these, and nothing is claimed until some are. */
const SETTLING_MAX = 400;

/** A claim, and whether something was left out of it for lack of a free slot. */
export type Claimed = Omit<Claim, 'place'> & { readonly crowded: boolean };

/** What this process can do with events: carry out those of some keys now (inline), or claim and start a batch (the poller). */
export class Outbox {
  readonly signals = new Signals();
  readonly registry: Registry;
  /** Names this process in leases and journals; new with each start. */
  readonly worker = `${os.hostname().slice(0, 60)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #dependencies: RunDependencies;
  readonly #shutdown = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #slots: Slots;
  /** Of what it holds: events that may be what kills their process. */
  #suspectCount = 0;
  #onEnded: (() => void)[] = [];
  /** Where the last claim of a backlog ended, among events of which types, and since when it has not looked from the start. */
  #reached: { readonly place: Place; readonly among: string; readonly sinceMs: number } | undefined;
  readonly #breakers = new Map<string, Breaker>();

  constructor(
    readonly database: Database,
    handlers: readonly EventHandler<never>[],
    readonly options: OutboxOptions,
    hooks: SettleHooks = {},
  ) {
    this.registry = new Registry(handlers);
    this.#slots = new Slots(this.registry, (target) => this.breakerOf(target), options.concurrencyPerTarget);
    this.#dependencies = {
      database,
      registry: this.registry,
      breakerOf: (target) => this.breakerOf(target),
      leases: new Leases(database, this.signals, { leaseMs: options.leaseMs, worker: this.worker }),
      signals: this.signals,
      settler: new Settler(database, hooks, options.patienceMs),
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

  /** Events this process holds: attempts under way, and what is claimed ahead of them. */
  get runningCount(): number {
    return this.#running.size + this.#slots.waitingCount;
  }

  /**
   * Claims what there is room for and starts it. Resolves when the attempts have started, not when they have ended. `deadlineFirst` says
   * that there is a backlog: then as many more are claimed as there are slots, and wait in this process for the next free one.
   */
  async claimAndStart(
    request: Pick<ClaimRequest, 'lookAheadMs' | 'deadlineFirst' | 'onlyTypes'> = {},
  ): Promise<Claimed | 'no-slot'> {
    if (this.#running.size - this.#slots.busyCount > SETTLING_MAX) return 'no-slot';
    const isBacklog = request.deadlineFirst === true;
    const rooms = this.#slots.rooms(isBacklog);
    const of = (kind: Room['kind']): Room[] => rooms.filter((room) => room.kind === kind);
    const [wide, narrow, held, crowded] = [of('wide'), of('narrow'), of('held'), of('crowded')];
    if (wide.length + narrow.length === 0 && this.#running.size > 0) return 'no-slot';
    const most = isBacklog ? Math.max(this.options.batchSize, CLAIM_MAX) : this.options.batchSize;
    const claims: Claim[] = [];
    if (narrow.length > 0)
      claims.push(
        await this.#claimOf({
          ...request,
          limit: limitOf(most, narrow),
          onlyTypes: among(request.onlyTypes, typesOf(narrow)),
        }),
      );
    if (wide.length + held.length > 0) {
      claims.push(
        await this.#claimOf({
          ...request,
          limit: limitOf(most, wide),
          withoutTypes: [...typesOf(narrow), ...typesOf(crowded)],
          heldTypes: typesOf(held),
        }),
      );
    }
    const opensInMs = Math.min(
      ...[...this.#breakers.values()].map((breaker) => breaker.opensInMs ?? Number.POSITIVE_INFINITY),
    );
    const nextDueInMs = Math.min(
      opensInMs,
      ...claims.map((claimed) => claimed.nextDueInMs ?? Number.POSITIVE_INFINITY),
    );
    return {
      rows: claims.flatMap((claimed) => claimed.rows),
      leftAlone: claims.flatMap((claimed) => claimed.leftAlone),
      full: claims.some((claimed) => claimed.full),
      nextDueInMs: Number.isFinite(nextDueInMs) ? nextDueInMs : null,
      crowded: crowded.length > 0,
    };
  }

  async #claimOf(request: Omit<ClaimRequest, 'worker' | 'leaseMs' | 'trigger'>): Promise<Claim> {
    const claimedAtMs = performance.now();
    const among = JSON.stringify([request.onlyTypes, request.withoutTypes, request.heldTypes]);
    const reached = this.#reached;
    const goesOn =
      request.deadlineFirst === true && reached?.among === among && claimedAtMs - reached.sinceMs < GO_ON_MS;
    const behind = goesOn ? reached.place : undefined;
    const claimed = await claim(this.database, this.registry, {
      worker: this.worker,
      leaseMs: this.options.leaseMs,
      trigger: 'poll',
      holdsSuspect: this.#suspectCount > 0,
      ...request,
      behind,
    });
    this.#reached =
      claimed.place && claimed.full
        ? { place: claimed.place, among, sinceMs: goesOn ? reached.sinceMs : claimedAtMs }
        : undefined;
    this.#announce(claimed, 'poll');
    for (const held of this.#hold(claimed, claimedAtMs)) if (this.#slots.enter(held)) void this.#start(held);
    return goesOn ? { ...claimed, full: true } : claimed; // something may have fallen due before that place
  }

  #hold({ rows }: Claim, claimedAtMs: number): Held[] {
    const { leases } = this.#dependencies;
    this.#suspectCount += rows.filter(isSuspect).length;
    return rows.map((row) => ({
      row,
      handler: this.registry.get(row.type),
      lease: leases.hold(row.id, row.attempt, claimedAtMs),
      claimedAtMs,
    }));
  }

  /** Milliseconds until the next event in the queue falls due, 0 when one is; null when none does within `lookAheadMs`. One statement, by the queue's index. */
  async nextDueInMs(lookAheadMs: number): Promise<number | null> {
    const [row] = await this.database.query<{ queue_at: unknown; now: unknown }>(
      sql`SELECT queue_at, ${now} AS now FROM outbox_event ${raw(this.database.dialect.useIndex('outbox_event_queue'))} WHERE queue_at <= ${after(lookAheadMs)} ORDER BY queue_at LIMIT 1`,
    );
    return row
      ? Math.max(0, fromSqlInstant(row.queue_at).getTime() - fromSqlInstant(row.now).getTime())
      : null;
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
   * Carries out, in this process, the events of these keys that are due, one after the other in their order, until none is left or
   * `budgetMs` is over, or nothing of them can move: paused, held by a breaker, waiting for later. What is still running then goes on by itself;
   * what has not started is left to the schedulers. Never throws: without a database, too, the events are recorded.
   */
  async runInline(orderingKeys: readonly string[], budgetMs: number): Promise<void> {
    const deadline = performance.now() + budgetMs;
    let mine: Promise<void>[] = [];
    let lookMs = INLINE_LOOK_MS;
    const work = (async () => {
      while (performance.now() < deadline && !this.#shutdown.signal.aborted) {
        const claimedAtMs = performance.now();
        const heldTypes = this.#heldTypes();
        const claimed = await claim(this.database, this.registry, {
          limit: 10,
          worker: this.worker,
          leaseMs: this.options.leaseMs,
          trigger: 'inline',
          onlyKeys: orderingKeys,
          heldTypes,
          holdsSuspect: this.#suspectCount > 0,
        });
        this.#announce(claimed, 'inline');
        const held = this.#hold(claimed, claimedAtMs);
        for (const one of held) this.#slots.enterAtOnce(one);
        mine = [...mine, ...held.map((one) => this.#start(one))];
        if (mine.length === 0) {
          // A scheduler may have been faster, or the key waits for a moment: stay for it, within the budget. Nothing that is paused, or held by a breaker, is stayed for.
          if (!(await this.#movesWithin(orderingKeys, heldTypes, deadline - performance.now()))) return;
          await new Promise((resolve) => setTimeout(resolve, lookMs));
          lookMs = Math.min(lookMs * 2, INLINE_LOOK_MAX_MS);
          continue;
        }
        // The first to end may have let the next of its key go on.
        const { ended } = await Promise.race(mine.map((attempt) => attempt.then(() => ({ ended: attempt }))));
        mine = mine.filter((attempt) => attempt !== ended);
      }
    })().catch((error: unknown) => this.signals.emit('sweep-failed', { error }));
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, budgetMs);
    });
    await Promise.race([work, over]).finally(() => clearTimeout(timer));
  }

  /** Types whose vendor is known to be down. */
  #heldTypes(): string[] {
    return typesOf(this.#slots.rooms(false).filter((room) => room.kind === 'held'));
  }

  /** Is anything of these keys running, or due within `ms` and free to run then? */
  async #movesWithin(
    orderingKeys: readonly string[],
    heldTypes: readonly string[],
    ms: number,
  ): Promise<boolean> {
    const notHeld =
      heldTypes.length > 0 ? sql`AND (type NOT IN (${join(heldTypes)}) OR deadline_at <= ${now})` : sql``;
    const rows = await this.database.query(sql`
      SELECT id FROM outbox_event ${raw(this.database.dialect.useIndex('outbox_event_queued_key'))} WHERE queued_key IN (${join(orderingKeys)})
        AND (lease_until IS NOT NULL OR (queue_at <= ${after(ms)} ${notPaused} ${notHeld})) LIMIT 1`);
    return rows.length > 0;
  }

  /** Resolves when an attempt that runs has been settled, or at once when nothing runs. */
  async oneEnded(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onEnded.push(resolve));
  }

  /** Resolves when it is worth asking for more, after a claim that met full slots. */
  async untilRoom(): Promise<void> {
    await (this.#running.size - this.#slots.busyCount > SETTLING_MAX
      ? this.oneEnded()
      : this.#slots.untilRoom());
  }

  /** Waits for what runs; what is not done after `graceMs` is aborted and handed back, and what has not started is so at once. */
  async drain(graceMs: number): Promise<void> {
    const over = new Error('the process is shutting down');
    this.#handBack(over.message);
    const abort = (): void => {
      this.#shutdown.abort(over);
      this.#dependencies.leases.abortAll(over);
    };
    const timer = setTimeout(abort, graceMs);
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
    clearTimeout(timer);
    abort();
  }

  /** What was claimed ahead, and will not be handled here after all, goes back into the queue: due at once, nothing counted. */
  #handBack(reason: string, target?: string): void {
    for (const held of this.#slots.takeWaiting(target)) void this.#start(held, reason);
  }

  /** It has a slot. */
  #start(held: Held, handBack?: string): Promise<void> {
    let isAnswered = false;
    const answered = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      const next = this.#slots.leave(held);
      if (next) void this.#start(next);
    };
    const attempt = run(this.#dependencies, held, { handBack, answered }).finally(() => {
      this.#running.delete(attempt);
      if (isSuspect(held.row)) this.#suspectCount -= 1;
      const told = this.#onEnded;
      this.#onEnded = [];
      for (const tell of told) tell();
    });
    this.#running.add(attempt);
    return attempt;
  }

  #announce(claimed: Claim, trigger: string): void {
    if (claimed.rows.length > 0)
      this.signals.emit('claimed', { ids: claimed.rows.map((row) => row.id), worker: this.worker, trigger });
    for (const kind of claimed.leftAlone) this.signals.emit('left-alone', kind);
  }
}

function limitOf(most: number, rooms: readonly Room[]): number {
  return Math.min(most, ...rooms.map((room) => room.count));
}

function typesOf(rooms: readonly Room[]): string[] {
  return rooms.flatMap((room) => room.types);
}

/** Those of `types` that are wanted. */
function among(wanted: readonly string[] | undefined, types: readonly string[]): readonly string[] {
  return wanted ? types.filter((type) => wanted.includes(type)) : types;
}
