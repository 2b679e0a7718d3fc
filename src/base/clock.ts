/** Where time comes from. The system clock in production; a virtual one where time itself is under test. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only go forward, from anywhere. */
  monotonic(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** A clock that was read just now, carried on by this process: the database's, without asking it again. */
export function carriedOn(readAt: Date, clock: Clock): () => Date {
  const readAtMs = clock.monotonic();
  return () => new Date(readAt.getTime() + Math.floor(clock.monotonic() - readAtMs));
}

const SHANGHAI_OFFSET_MS = 8 * 3_600_000; // Asia/Shanghai has had no daylight saving since 1991

/** The business day `yyyy-MM-dd` in Asia/Shanghai. */
export function businessDay(instantMs: number): string {
  return new Date(instantMs + SHANGHAI_OFFSET_MS).toISOString().slice(0, 10);
}

/** RFC 3339 in Asia/Shanghai, e.g. `2026-11-23T10:30:00.000+08:00`. */
export function toRfc3339(instant: Date): string {
  return new Date(instant.getTime() + SHANGHAI_OFFSET_MS).toISOString().replace('Z', '+08:00');
}
