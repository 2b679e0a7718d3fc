import type { Database } from '../database/database.js';
import type { Trigger } from '../entities/event-attempt.js';
import type { Held } from './attempt.js';
import { type Claim, claim } from './claim.js';
import type { Registry } from './registry.js';
import type { Leases } from './renew.js';
import { isSuspect } from './set-aside.js';
import type { Signals } from './signals.js';
import type { Place, Wanted } from './statements.js';

/** In a backlog a claim begins where the last ended, for so long; then from the start again. Milliseconds. */
const GO_ON_MS = 500;

interface ClaimerOptions {
  readonly database: Database;
  readonly registry: Registry;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly worker: string;
  readonly leaseMs: number;
}

/** What was claimed, with its handlers and leases. */
export type HeldClaim = Claim & { readonly held: Held[] };

/** Claims for the poller and the inline runs of this process, and remembers what the next claim must know. */
export class Claimer {
  /** Held events that may be what crashes their process. */
  #suspectCount = 0;
  /** Where the last claim of a backlog ended, among which types, and when a claim last began at the start. */
  #reached: { readonly place: Place; readonly among: string; readonly sinceMs: number } | undefined;

  constructor(private readonly options: ClaimerOptions) {}

  /** A claim of the poller. */
  async claimNext(wanted: Wanted): Promise<HeldClaim> {
    const nowMs = performance.now();
    const among = JSON.stringify([wanted.onlyTypes, wanted.withoutTypes, wanted.heldTypes]);
    const reached = this.#reached;
    const goesOn =
      wanted.deadlineFirst === true && reached?.among === among && nowMs - reached.sinceMs < GO_ON_MS;
    const claimed = await this.claim({ ...wanted, behind: goesOn ? reached.place : undefined }, 'poll');
    this.#reached =
      claimed.place && claimed.full
        ? { place: claimed.place, among, sinceMs: goesOn ? reached.sinceMs : nowMs }
        : undefined;
    return goesOn ? { ...claimed, full: true } : claimed; // something may have fallen due before that place
  }

  async claim(wanted: Wanted, trigger: Trigger): Promise<HeldClaim> {
    const { database, registry, leases, signals, worker, leaseMs } = this.options;
    const claimedAtMs = performance.now();
    const holdsSuspect = this.#suspectCount > 0;
    const claimed = await claim(database, registry, { ...wanted, worker, leaseMs, trigger, holdsSuspect });
    const { rows, leftAlone } = claimed;
    this.#suspectCount += rows.filter(isSuspect).length;
    if (rows.length > 0) signals.emit('claimed', { ids: rows.map(({ id }) => id), worker, trigger });
    for (const kind of leftAlone) signals.emit('left-alone', kind);
    const held = rows.map((row) => ({
      row,
      handler: registry.get(row.type),
      lease: leases.hold(row.id, row.attempt, claimedAtMs),
      claimedAtMs,
    }));
    return { ...claimed, held };
  }

  /** The attempt has been settled, or has lost its lease. */
  ended({ row }: Held): void {
    if (isSuspect(row)) this.#suspectCount -= 1;
  }
}
