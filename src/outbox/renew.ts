import type { Database } from '../database/database.js';
import { after, idAmongMany, ids, join, now, raw, type Sql, sql } from '../database/sql.js';
import type { Signals } from './signals.js';
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

  /** By the monotonic clock, whether or not anybody has noticed: a process that stood still finds its timers late and this right. */
  get isOver(): boolean {
    return this.#isLost || performance.now() >= this.heldUntilMs;
  }

  /** Aborts whatever the attempt is doing: its lease is lost, its time is over, or the process ends. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      // Made when it is first asked for: it costs more than all else that a lease needs.
      this.#abort = new AbortController();
      if (this.#abortReason) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** Rejects with the reason `graceMs` after it was aborted, unless that is called off first. Returns how to call it off. */
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

export interface LeaseOptions {
  readonly leaseMs: number;
  readonly worker: string;
}

/**
 * Renews the leases of everything this process runs, in one statement, three times in the length of a lease. What is being settled is left out:
 * the renewal would wait for those rows, with all others locked that it had come to before.
 * A lease that could not be renewed in time aborts its attempt before another worker may start the next one.
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
      const byId = raw(this.database.dialect.byPrimaryKey);
      const ours = this.#ours(leases);
      const until = after(this.options.leaseMs);
      const { affected } = await this.database.execute(sql`
        UPDATE outbox_event ${byId} SET lease_until = ${until}, queue_at = ${until}
        WHERE ${ours}`);
      const renewed = affected === leases.length ? leases : await this.#stillOurs(leases, ours);
      for (const lease of renewed) lease.heldUntilMs = startedMs + this.options.leaseMs;
      for (const lease of leases) if (!renewed.includes(lease) && this.#held.has(lease)) this.#lose(lease);
    } catch (error) {
      this.signals.emit('renew-failed', { error });
    } finally {
      this.#renewing = false;
    }
  }

  /** The rows that this process still holds by these leases: what is renewed, and what is looked at when not all were. */
  #ours(leases: readonly Lease[]): Sql {
    const fence = join(
      leases.map(({ id, attempt }) => sql`(${leases.length > 1 ? idAmongMany(id) : id}, ${attempt})`),
    );
    const pairs = this.database.dialect.name === 'sqlite' ? sql`(VALUES ${fence})` : sql`(${fence})`;
    return sql`id IN (${ids(leases.map(({ id }) => id))}) AND (id, attempt) IN ${pairs} AND status = 'pending' AND lease_until > ${now} AND claimed_by = ${this.options.worker}`;
  }

  async #stillOurs(leases: Lease[], ours: Sql): Promise<Lease[]> {
    const rows = await this.database.query<{ id: number | string; attempt: number }>(sql`
      SELECT id, attempt FROM outbox_event ${raw(this.database.dialect.byPrimaryKey)} WHERE ${ours}`);
    return leases.filter((lease) =>
      rows.some((row) => String(row.id) === lease.id && row.attempt === lease.attempt),
    );
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
