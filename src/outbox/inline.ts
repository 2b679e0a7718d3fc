import type { Held } from './attempt.js';
import type { Claimer } from './claimer.js';

/** A run that waits for another worker looks again after LOOK_MS, then twice as long, up to the second. */
const LOOK_MS = 30;
const LOOK_MAX_MS = 240;
const CLAIM_MAX = 10;

export interface InlineEngine {
  readonly claimer: Claimer;
  readonly shutdown: AbortSignal;
  /** Types whose vendor is known to be down. */
  heldTypes(): readonly string[];
  startAtOnce(held: Held): Promise<void>;
  /** Of these keys: does anything run, or fall due within `ms` and may run then? */
  isMoving(keys: readonly string[], heldTypes: readonly string[], ms: number): Promise<boolean>;
}

/** Carries out the due events of these keys until none is left, none can move, or the time is over. */
export async function runInline(
  engine: InlineEngine,
  keys: readonly string[],
  untilMs: number,
): Promise<void> {
  let mine: Promise<void>[] = [];
  let lookMs = LOOK_MS;
  while (performance.now() < untilMs && !engine.shutdown.aborted) {
    const heldTypes = engine.heldTypes();
    const { held } = await engine.claimer.claim({ limit: CLAIM_MAX, onlyKeys: keys, heldTypes }, 'inline');
    mine = [...mine, ...held.map((event) => engine.startAtOnce(event))];
    if (mine.length > 0) {
      // The first to end may have let the next of its key go on.
      const { ended } = await Promise.race(mine.map((attempt) => attempt.then(() => ({ ended: attempt }))));
      mine = mine.filter((attempt) => attempt !== ended);
      continue;
    }
    // A scheduler may have been faster, or the key waits for a moment. Paused, or held by a breaker: not
    // waited for.
    if (!(await engine.isMoving(keys, heldTypes, untilMs - performance.now()))) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    lookMs = Math.min(lookMs * 2, LOOK_MAX_MS);
  }
}
