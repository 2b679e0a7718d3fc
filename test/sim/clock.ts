import type { Clock } from '../../src/base/clock.js';

interface Timer {
  readonly id: number;
  readonly atMs: number;
  readonly everyMs: number | null;
  readonly fire: () => void;
}

/** Time that passes only when the simulation says so. */
export class VirtualClock implements Clock {
  #timers: Timer[] = [];
  #nextId = 1;

  constructor(public ms: number) {}
  now = (): number => this.ms;
  monotonic = (): number => this.ms;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = this.later(ms, resolve);
      signal?.addEventListener('abort', () => {
        this.cancel(id);
        reject(signal.reason);
      });
    });

  later = (ms: number, fire: () => void, everyMs: number | null = null): number => {
    const id = this.#nextId++;
    if (Number.isFinite(ms))
      this.#timers.push({ id, atMs: this.ms + Math.ceil(Math.max(0, ms)), everyMs, fire });
    return id;
  };

  cancel(id: number): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  /** What falls due on the way fires in its order, at its own instant unless `isJump`: then all of it fires late, as after a freeze. */
  advance(ms: number, isJump = false): void {
    const untilMs = this.ms + Math.round(ms); // whole milliseconds, as every clock has them
    if (isJump) this.ms = untilMs;
    for (;;) {
      const next = this.#timers.reduce<Timer | null>(
        (first, timer) => (timer.atMs <= untilMs && (!first || timer.atMs < first.atMs) ? timer : first),
        null,
      );
      if (!next) break;
      this.ms = Math.max(this.ms, next.atMs);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      if (next.everyMs !== null) this.#timers.push({ ...next, atMs: this.ms + Math.max(1, next.everyMs) });
      next.fire();
    }
    this.ms = untilMs;
  }
}

/**
 * Makes this clock, and this chance, those of the whole process: leases, deadlines, breakers and signatures live in virtual time, too.
 * Returns how to undo it. `setImmediate` stays what it is: it drives the simulation.
 */
export function makeGlobal(clock: VirtualClock, random: () => number): () => void {
  const real = {
    now: Date.now,
    performanceNow: performance.now,
    random: Math.random,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
  };
  const handle = (id: number): NodeJS.Timeout => {
    const timer = {
      id,
      ref: () => timer,
      unref: () => timer,
      hasRef: () => false,
      [Symbol.toPrimitive]: () => id,
    };
    return timer as unknown as NodeJS.Timeout;
  };
  const clear = (timer: NodeJS.Timeout | undefined): void => {
    if (timer !== undefined) clock.cancel((timer as unknown as { id: number }).id);
  };
  Date.now = clock.now;
  performance.now = clock.monotonic;
  Math.random = random;
  globalThis.setTimeout = ((fire: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) =>
    handle(clock.later(ms, () => fire(...given)))) as unknown as typeof setTimeout;
  globalThis.setInterval = ((fire: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) =>
    handle(clock.later(ms, () => fire(...given), ms))) as unknown as typeof setInterval;
  globalThis.clearTimeout = clear as typeof clearTimeout;
  globalThis.clearInterval = clear as typeof clearInterval;
  return () => {
    Date.now = real.now;
    performance.now = real.performanceNow;
    Math.random = real.random;
    Object.assign(globalThis, {
      setTimeout: real.setTimeout,
      clearTimeout: real.clearTimeout,
      setInterval: real.setInterval,
      clearInterval: real.clearInterval,
    });
  };
}
