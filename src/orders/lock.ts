import type { Redis } from 'ioredis';
import { ExecutionError, type Lock, Redlock, ResourceLockedError } from 'redlock';
import { Problem } from '../base/problems.js';

/** Turns most races into a clean 409. Correctness never rests on a lock: the conditional UPDATEs decide. */
export interface Locks {
  /**
   * Runs `work` under all keys together; throws Problem `order-busy` when another request holds one of them.
   */
  withLock<T>(keys: readonly string[], work: (grant: Grant) => Promise<T>): Promise<T>;
}

export interface Grant {
  /** False: Redis could not be reached, and the work goes on without the lock. */
  readonly held: boolean;
  readonly waitedMs: number;
}

export const userKey = (userId: string): string => `lunchbox:lock:user:${userId}`;
export const orderKey = (orderId: string): string => `lunchbox:lock:order:${orderId}`;

const TTL_MS = 5_000; // extended while the work lasts; the locks of a dead process are free after this time
const WAIT_MS = 200;
const busy = (): Problem => new Problem('order-busy', { retryAfterS: 1 });

/** Locks within one process, for the embedded shape. */
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
  /** Redis answered again. */
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
    this.#redlock.on('error', () => {}); // every refused vote is emitted here too; #acquire judges them
  }

  async withLock<T>(keys: readonly string[], work: (grant: Grant) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const lock = await this.#acquire([...new Set(keys)].sort());
    const waitedMs = Math.round(performance.now() - startedMs);
    if (!lock) return work({ held: false, waitedMs });
    const release = extend(lock);
    try {
      return await work({ held: true, waitedMs });
    } finally {
      release();
    }
  }

  /**
   * Null: Redis cannot be reached. Contention and outage arrive as the same error; the votes tell them apart.
   */
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

/**
 * Extends the lock until the returned function releases it. A lock that cannot be extended is lost, and the
 * work goes on without it. Redlock's `using` throws when the release fails, which would turn a committed
 * order into an error.
 */
function extend(lock: Lock): () => void {
  let held = lock;
  let timer: NodeJS.Timeout;
  let isReleased = false;
  const schedule = (): void => {
    timer = setTimeout(async () => {
      const next = await held.extend(TTL_MS).catch(() => null);
      if (!next) return;
      held = next;
      if (isReleased) await next.release().catch(() => {});
      else schedule();
    }, TTL_MS / 3);
  };
  schedule();
  return () => {
    isReleased = true;
    clearTimeout(timer);
    void held.release().catch(() => {});
  };
}
