/** Later delays never exceed so many first delays. */
export const BACKOFF_CAP = 10;

/**
 * Milliseconds until the next attempt after `failures` failures (≥ 1).
 * The first delay is exactly `firstMs`; later ones double, with ±20 % jitter, up to ten times the first:
 * 15 s → 15, 30 ± 6, 60 ± 12, 120 ± 24, 150 at most.
 * `random` is in [0, 1).
 */
export function backoff(failures: number, firstMs: number, random: number): number {
  if (failures <= 1) return firstMs;
  const doubled = firstMs * 2 ** (failures - 1);
  const jittered = doubled * (0.8 + 0.4 * random);
  return Math.round(Math.min(jittered, firstMs * BACKOFF_CAP));
}
