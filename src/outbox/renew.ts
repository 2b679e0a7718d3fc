import type { Database } from '../database/database.js';
import type { Signals } from './signals.js';
import * as statements from './statements.js';
import { LeaseLost } from './types.js';

/** What a worker holds of an event while it has claimed it. */
export class Lease {
  #abort: AbortController | undefined;
  #abortReason: Error | undefined;
  #isLost = false;
  #late: { readonly graceMs: number; late(reason: Error): void } | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  /** A transaction that ends the attempt is under way, and has the row locked. */
  isBeingSettled = false;

  constructor(
    readonly id: string,
    readonly attempt: number,
    /** Monotonic instant until which the lease surely holds. */
    public heldUntilMs: number,
  ) {}

  /** Another worker may hold the event now: nothing may be written of this attempt. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** By the monotonic clock. Right even in a process that stood still, whose timers are late. */
  get isOver(): boolean {
    return this.#isLost || performance.now() >= this.heldUntilMs;
  }

  /** Aborted when the lease is lost, the attempt's time is over, or the process ends. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      // Made on first use: an AbortController costs more than the rest of a lease.
      this.#abort = new AbortController();
      if (this.#abortReason) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** Calls `late` with the reason `graceMs` after an abort. Returns the function that calls that off. */
  whenAborted(graceMs: number, late: (reason: Error) => void): () => void {
    this.#late = { graceMs, late };
    if (this.#abortReason) this.#startGrace(this.#abortReason);
    return () => {
      clearTimeout(this.#graceTimer);
      this.#late = undefined;
    };
  }

  abort(reason: Error): void {
    if (this.#abortReason) return;
    this.#abortReason = reason;
    this.#abort?.abort(reason);
    this.#startGrace(reason);
  }

  #startGrace(reason: Error): void {
    const waiting = this.#late;
    if (waiting) this.#graceTimer = setTimeout(() => waiting.late(reason), waiting.graceMs);
  }

  lose(): void {
    this.#isLost = true;
    this.abort(new LeaseLost());
  }
}

interface LeaseOptions {
  readonly leaseMs: number;
  readonly worker: string;
}

/**
 * Renews all leases of this process in one statement, three times in the length of a lease. Rows that are
 * being settled are left out: the renewal would wait for them while it holds locks on the others. A lease
 * that could not be renewed in time aborts its attempt before another worker may start the next attempt.
 */
export class Leases {
  readonly #held = new Set<Lease>();
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(
    private readonly database: Database,
    private readonly signals: Signals,
    private readonly options: LeaseOptions,
  ) {}

  /** Registers an attempt claimed just now. */
  hold(id: string, attempt: number, claimedAtMs: number): Lease {
    const lease = new Lease(id, attempt, claimedAtMs + this.options.leaseMs);
    this.#held.add(lease);
    if (!this.#timer) this.#timer = setInterval(() => void this.renew(), this.options.leaseMs / 3);
    return lease;
  }

  letGo(lease: Lease): void {
    this.#held.delete(lease);
    if (this.#held.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The process ends: aborts whatever is under way. */
  abortAll(reason: Error): void {
    for (const lease of this.#held) lease.abort(reason);
  }

  /** One renewal of all leases held. */
  async renew(): Promise<void> {
    this.#loseExpired();
    const leases = [...this.#held].filter((lease) => !lease.isBeingSettled);
    if (this.#renewing || leases.length === 0) return;
    this.#renewing = true;
    const startedMs = performance.now();
    try {
      const held = { leases, worker: this.options.worker };
      const renewing = statements.renewLeases(this.database.dialect, held, this.options.leaseMs);
      const { affected } = await this.database.execute(renewing);
      const renewed = affected === leases.length ? leases : await this.#stillOurs(leases);
      for (const lease of renewed) lease.heldUntilMs = startedMs + this.options.leaseMs;
      for (const lease of leases) if (!renewed.includes(lease) && this.#held.has(lease)) this.#lose(lease);
    } catch (error) {
      this.signals.emit('renew-failed', { error });
    } finally {
      this.#renewing = false;
    }
  }

  async #stillOurs(leases: readonly Lease[]): Promise<readonly Lease[]> {
    const held = { leases, worker: this.options.worker };
    const rows = await this.database.query<{ id: number | string; attempt: number }>(
      statements.selectStillHeld(this.database.dialect, held),
    );
    const ours = new Set(rows.map(({ id, attempt }) => `${id} ${attempt}`));
    return leases.filter(({ id, attempt }) => ours.has(`${id} ${attempt}`));
  }

  #loseExpired(): void {
    const nowMs = performance.now();
    for (const lease of this.#held) if (lease.heldUntilMs <= nowMs) this.#lose(lease);
  }

  #lose(lease: Lease): void {
    if (lease.isLost) return;
    this.signals.emit('lease-lost', { eventId: lease.id, attempt: lease.attempt });
    lease.lose();
  }
}
