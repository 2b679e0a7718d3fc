import type { VendorOutcome } from '../entities/outbox-event.js';
import { backoff } from './backoff.js';
import type { AttemptOutcome, Failure } from './types.js';

/** Attempts in a row that may end without a word before the event counts as poison. */
export const INTERRUPTIONS_MAX = 3;
/** The same for orderly interruptions at shutdown: they come back at once. */
const AFTER_INTERRUPTION_MS = 0;

export interface Situation {
  readonly failures: number;
  readonly interruptions: number;
  /** Milliseconds since the first snooze of the current row of snoozes; null when the last attempt was none. */
  readonly snoozedForMs: number | null;
  readonly failuresMax: number;
  readonly retryDelayMs: number;
  readonly maxSnoozeMs: number;
  /** In [0, 1): jitter. */
  readonly random: number;
}

export interface Transition {
  readonly status: 'handled' | 'pending' | 'errored';
  /** When pending: due again in so many milliseconds. */
  readonly runInMs: number | null;
  readonly failures: number;
  readonly interruptions: number;
  readonly snoozing: boolean;
  readonly outcome: VendorOutcome | null;
  /** The attempt itself may have changed the vendor's books: the settle window starts anew. */
  readonly newDoubt: boolean;
  readonly failure: Failure | null;
  /** For a person. */
  readonly decision: string;
}

/** (outcome, counters, limits) → what becomes of the event. Pure; the only place where "exhausted" is decided. */
export function decide(outcome: AttemptOutcome, situation: Situation): Transition {
  const transition = transitionOf(outcome, situation);
  const answer = outcome.kind === 'retry' || outcome.kind === 'give-up' ? outcome.failure : outcome;
  const sentNothing = 'sentNothing' in answer && answer.sentNothing === true;
  return { ...transition, newDoubt: transition.outcome === 'unknown' && !sentNothing };
}

function transitionOf(outcome: AttemptOutcome, situation: Situation): Omit<Transition, 'newDoubt'> {
  const { failures, failuresMax, interruptions } = situation;
  switch (outcome.kind) {
    case 'done':
      return {
        status: 'handled',
        runInMs: null,
        failures,
        interruptions: 0,
        snoozing: false,
        outcome: outcome.outcome,
        failure: null,
        decision: outcome.note ?? 'done',
      };
    case 'give-up':
      return {
        status: 'errored',
        runInMs: null,
        failures: failures + 1,
        interruptions: 0,
        snoozing: false,
        outcome: outcome.failure.outcome,
        failure: outcome.failure,
        decision: 'given up at once: repeating it cannot help',
      };
    case 'retry':
      return failed(outcome.failure, outcome.afterMs, situation);
    case 'snooze': {
      if (situation.snoozedForMs !== null && situation.snoozedForMs > (outcome.maxMs ?? situation.maxSnoozeMs)) {
        return failed(
          {
            outcome: outcome.outcome ?? 'unknown',
            code: 'snoozed-too-long',
            message: `still ${outcome.reason} after ${Math.round(situation.snoozedForMs / 1000)} s`,
          },
          undefined,
          situation,
        );
      }
      return {
        status: 'pending',
        runInMs: outcome.afterMs,
        failures,
        interruptions: 0,
        snoozing: true,
        outcome: outcome.outcome,
        failure: null,
        decision: `snoozed: ${outcome.reason}`,
      };
    }
    case 'interrupted': {
      const failure: Failure = { outcome: outcome.sent ? 'unknown' : 'not-applied', code: 'interrupted', message: outcome.reason };
      if (interruptions + 1 > INTERRUPTIONS_MAX)
        return {
          status: 'errored',
          runInMs: null,
          failures,
          interruptions: interruptions + 1,
          snoozing: false,
          outcome: failure.outcome,
          failure,
          decision: 'errored: interrupted too often in a row',
        };
      return {
        status: 'pending',
        runInMs: AFTER_INTERRUPTION_MS,
        failures,
        interruptions,
        snoozing: false,
        outcome: failure.outcome,
        failure,
        decision: 'interrupted: handed back, nothing counted',
      };
    }
  }

  function failed(failure: Failure, afterMs: number | undefined, limits: Situation): Omit<Transition, 'newDoubt'> {
    const count = failures + 1;
    const base = { failures: count, interruptions: 0, snoozing: false, outcome: failure.outcome, failure } as const;
    if (count >= failuresMax) return { ...base, status: 'errored', runInMs: null, decision: `errored: attempt failed, ${count} of ${failuresMax}` };
    return {
      ...base,
      status: 'pending',
      runInMs: Math.max(afterMs ?? 0, backoff(count, limits.retryDelayMs, limits.random)),
      decision: `failed, ${count} of ${failuresMax}: to be repeated`,
    };
  }
}
