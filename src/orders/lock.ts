import type { Redis } from 'ioredis';
import { ExecutionError, type Lock, Redlock, ResourceLockedError } from 'redlock';
import { Problem } from '../base/problems.js';

/** A courtesy that turns most races into a clean 409. Correctness never rests on it. */
export interface Locks {
  /** Runs `work` under all keys together; throws Problem `order-busy` when somebody else holds one. */
  withLock<T>(keys: readonly string[], work: (grant: Grant) => Promise<T>): Promise<T>;
}

export interface Grant {
  /** False: Redis was away, and the work goes on without. */
  readonly held: boolean;
  readonly waitedMs: number;
}

export const userKey = (userId: string): string => `lunchbox:lock:user:${userId}`;
export const orderKey = (orderId: string): string => `lunchbox:lock:order:${orderId}`;

const TTL_MS = 5_000; // extended while the work lasts; a dead process blocks nobody for longer
const WAIT_MS = 200;
const busy = (): Problem => new Problem('order-busy', { retryAfterS: 1 });

/** For one process: the embedded shape. */
export class LocalLocks implements Locks {
  readonly #held = new Set<string>();

  async withLock<T>(keys: readonly string[], work: (grant: Grant) => Promise<T>): Promise<T> {
    const wanted = [...new Set(keys)].sort();
    const startedMs = performance.now();
    const deadline = performance.now() + WAIT_MS;
    while (wanted.some((key) => this.#held.has(key))) {
      if (performance.now() > deadline) throw busy();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const key of wanted) this.#held.add(key);
    try {
      return await work({ held: true, waitedMs: Math.round(performance.now() - startedMs) });
    } finally {
      for (const key of wanted) this.#held.delete(key);
    }
  }
}

export interface LockObserver {
  /** Redis could not be asked: the request goes on without the lock. Called for each request. */
  unavailable(): void;
  /** A lock was had again. */
  available(): void;
}

/** Redlock over one Redis or a quorum of several. */
export class RedisLocks implements Locks {
  readonly #redlock: Redlock;

  constructor(
    clients: readonly Redis[],
    private readonly observer: LockObserver,
  ) {
    this.#redlock = new Redlock([...clients], {
      retryCount: 4,
      retryDelay: WAIT_MS / 4,
      retryJitter: 20,
      automaticExtensionThreshold: 0,
    });
    this.#redlock.on('error', () => {}); // each refused vote is also told here; the outcome is judged in #acquire
  }

  async withLock<T>(keys: readonly string[], work: (grant: Grant) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const lock = await this.#acquire([...new Set(keys)].sort());
    const waitedMs = Math.round(performance.now() - startedMs);
    if (!lock) return work({ held: false, waitedMs });
    let held = lock;
    let timer: NodeJS.Timeout | undefined;
    let done = false;
    const extend = (): void => {
      timer = setTimeout(async () => {
        // A lock that cannot be extended is lost; the conditional updates carry on without it.
        const next = await held.extend(TTL_MS).catch(() => null);
        if (next && !done) {
          held = next;
          extend();
        } else if (next) await next.release().catch(() => {});
      }, TTL_MS / 3);
    };
    extend();
    try {
      return await work({ held: true, waitedMs });
    } finally {
      done = true;
      clearTimeout(timer);
      void held.release().catch(() => {}); // a failed release must not turn a committed result into an error
    }
  }

  /** Null: Redis is not to be had. Contention and outage arrive as the same error; the votes tell them apart. */
  async #acquire(keys: string[]): Promise<Lock | null> {
    try {
      const lock = await this.#redlock.acquire(keys, TTL_MS);
      this.observer.available();
      if (lock.expiration > Date.now()) return lock;
      void lock.release().catch(() => {});
      return null;
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      const last = (await Promise.all(error.attempts)).at(-1);
      const locked = last
        ? [...last.votesAgainst.values()].filter((vote) => vote instanceof ResourceLockedError).length
        : 0;
      if (last && locked > 0 && locked + last.votesFor.size >= last.quorumSize) {
        this.observer.available();
        throw busy();
      }
      this.observer.unavailable();
      return null;
    }
  }
}
