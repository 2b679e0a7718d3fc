import type { Database } from '../database/database.js';
import { after, join, now, sql } from '../database/sql.js';
import type { Signals } from './signals.js';
import { LeaseLost } from './types.js';

interface Lease {
  readonly id: string;
  readonly attempt: number;
  readonly abort: AbortController;
  /** Monotonic instant until which the lease surely holds. */
  heldUntilMs: number;
}

export interface LeaseOptions {
  readonly leaseMs: number;
  readonly worker: string;
}

/**
 * Renews the leases of everything this process runs, in one statement, three times in the length of a lease.
 * A lease that could not be renewed in time aborts its attempt before another worker may start the next one.
 */
export class Leases {
  readonly #held = new Map<string, Lease>();
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(
    private readonly database: Database,
    private readonly signals: Signals,
    private readonly options: LeaseOptions,
  ) {}

  /** Registers an attempt claimed just now; the returned signal aborts when the lease is lost. */
  hold(id: string, attempt: number, claimedAtMs: number): AbortSignal {
    const lease: Lease = { id, attempt, abort: new AbortController(), heldUntilMs: claimedAtMs + this.options.leaseMs };
    this.#held.set(`${id}/${attempt}`, lease);
    if (!this.#timer) this.#timer = setInterval(() => void this.renew(), this.options.leaseMs / 3);
    return lease.abort.signal;
  }

  letGo(id: string, attempt: number): void {
    this.#held.delete(`${id}/${attempt}`);
    if (this.#held.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get size(): number {
    return this.#held.size;
  }

  /** One renewal of all leases held. */
  async renew(): Promise<void> {
    this.#loseExpired();
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    const leases = [...this.#held.values()];
    const startedMs = performance.now();
    try {
      const fence = join(leases.map((lease) => sql`(${lease.id}, ${lease.attempt})`));
      const pairs = this.database.dialect.name === 'sqlite' ? sql`(VALUES ${fence})` : sql`(${fence})`;
      const until = after(this.options.leaseMs);
      const { affected } = await this.database.execute(sql`
        UPDATE outbox_event SET lease_until = ${until}, queue_at = ${until}
        WHERE (id, attempt) IN ${pairs} AND status = 'pending' AND lease_until > ${now} AND claimed_by = ${this.options.worker}`);
      const renewed = affected === leases.length ? leases : await this.#stillOurs(leases, pairs);
      for (const lease of renewed) lease.heldUntilMs = startedMs + this.options.leaseMs;
      for (const lease of leases) if (!renewed.includes(lease) && this.#held.get(`${lease.id}/${lease.attempt}`) === lease) this.#lose(lease);
    } catch (error) {
      this.signals.emit('renew-failed', { error });
    } finally {
      this.#renewing = false;
    }
  }

  async #stillOurs(leases: Lease[], pairs: ReturnType<typeof sql>): Promise<Lease[]> {
    const rows = await this.database.query<{ id: number | string; attempt: number }>(sql`
      SELECT id, attempt FROM outbox_event WHERE (id, attempt) IN ${pairs} AND status = 'pending' AND lease_until > ${now} AND claimed_by = ${this.options.worker}`);
    return leases.filter((lease) => rows.some((row) => String(row.id) === lease.id && row.attempt === lease.attempt));
  }

  #loseExpired(): void {
    const nowMs = performance.now();
    for (const lease of this.#held.values()) if (lease.heldUntilMs <= nowMs) this.#lose(lease);
  }

  #lose(lease: Lease): void {
    if (lease.abort.signal.aborted) return;
    this.signals.emit('lease-lost', { eventId: lease.id, attempt: lease.attempt });
    lease.abort.abort(new LeaseLost());
  }
}
