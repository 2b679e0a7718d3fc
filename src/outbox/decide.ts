import type { VendorOutcome } from '../entities/outbox-event.js';
import { backoff } from './backoff.js';
import type { AttemptOutcome, Failure } from './types.js';

/** Attempts in a row that may end without a word before the event counts as poison. */
export const INTERRUPTIONS_MAX = 3;
/** Questions in a row that may get no usable answer before a person hears of it. */
export const VAIN_QUESTIONS_TOLD = 3;
/** So long after the first vain question of a row the event is given up, where it has no deadline of its own. */
export const QUESTIONS_MAX_MS = 24 * 3_600_000;
/** The same for orderly interruptions at shutdown: they come back at once. */
const AFTER_INTERRUPTION_MS = 0;

export interface Situation {
  readonly failures: number;
  readonly interruptions: number;
  /** Milliseconds since the first snooze of the current row of snoozes; null when the last attempt was none. */
  readonly snoozedForMs: number | null;
  /** Questions in a row without a usable answer before this attempt, and the milliseconds since the first of them; null when there was none. */
  readonly vainQuestions: number;
  readonly vainForMs: number | null;
  /** Milliseconds until the deadline up to which it asks; null when it has none. */
  readonly deadlineInMs: number | null;
  /** An earlier attempt ended without a trustworthy answer. */
  readonly inDoubt: boolean;
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
  readonly vainQuestions: number;
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
  return { ...transition, newDoubt: transition.outcome === 'unknown' && !sentNothing(outcome) };
}

function sentNothing(outcome: AttemptOutcome): boolean {
  if (outcome.kind === 'interrupted') return !outcome.sent;
  const answer = 'failure' in outcome ? outcome.failure : outcome;
  return 'sentNothing' in answer && answer.sentNothing === true;
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
        vainQuestions: 0,
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
        vainQuestions: 0,
        outcome: outcome.failure.outcome,
        failure: outcome.failure,
        decision: 'given up at once: repeating it cannot help',
      };
    case 'retry':
      return failed(outcome.failure, outcome.afterMs, situation);
    case 'ask-again':
      return askAgain(outcome.failure, outcome.afterMs, situation);
    case 'snooze': {
      if (
        situation.snoozedForMs !== null &&
        situation.snoozedForMs > (outcome.maxMs ?? situation.maxSnoozeMs)
      ) {
        const message = `still ${outcome.reason} after ${Math.round(situation.snoozedForMs / 1000)} s`;
        const failure: Failure = { outcome: outcome.outcome ?? 'unknown', code: 'snoozed-too-long', message };
        return outcome.isQuestion
          ? askAgain(failure, outcome.afterMs, situation)
          : failed(failure, undefined, situation);
      }
      return {
        status: 'pending',
        runInMs: outcome.afterMs,
        failures,
        interruptions: 0,
        snoozing: true,
        vainQuestions: outcome.noAnswer ? situation.vainQuestions : 0,
        outcome: outcome.outcome,
        failure: null,
        decision: `snoozed: ${outcome.reason}`,
      };
    }
    case 'interrupted': {
      const unknown = outcome.sent || situation.inDoubt;
      const failure: Failure = {
        outcome: unknown ? 'unknown' : 'not-applied',
        code: 'interrupted',
        message: outcome.reason,
      };
      if (interruptions + 1 > INTERRUPTIONS_MAX)
        return {
          status: 'errored',
          runInMs: null,
          failures,
          interruptions: interruptions + 1,
          snoozing: false,
          vainQuestions: 0,
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
        vainQuestions: situation.vainQuestions,
        outcome: failure.outcome,
        failure,
        decision: 'interrupted: handed back, nothing counted',
      };
    }
  }

  function askAgain(
    failure: Failure,
    afterMs: number | undefined,
    limits: Situation,
  ): Omit<Transition, 'newDoubt'> {
    const count = limits.vainQuestions + 1;
    const leftMs = limits.deadlineInMs ?? QUESTIONS_MAX_MS - (limits.vainForMs ?? 0);
    // A row of snoozes goes on: nothing was learnt that ended it.
    const base = {
      failures,
      interruptions: 0,
      snoozing: limits.snoozedForMs !== null,
      outcome: failure.outcome,
      failure,
    } as const;
    if (leftMs <= 0)
      return {
        ...base,
        status: 'errored',
        runInMs: null,
        vainQuestions: 0,
        decision: 'errored: no usable answer until its deadline',
      };
    return {
      ...base,
      status: 'pending',
      // Not beyond the deadline: there its path changes.
      runInMs: Math.min(Math.max(afterMs ?? 0, backoff(count, limits.retryDelayMs, limits.random)), leftMs),
      vainQuestions: count,
      decision: `no usable answer, ${count} in a row: asked again, no failure`,
    };
  }

  function failed(
    failure: Failure,
    afterMs: number | undefined,
    limits: Situation,
  ): Omit<Transition, 'newDoubt'> {
    const count = failures + 1;
    const base = {
      failures: count,
      interruptions: 0,
      snoozing: false,
      vainQuestions: 0,
      outcome: failure.outcome,
      failure,
    } as const;
    if (count >= failuresMax)
      return {
        ...base,
        status: 'errored',
        runInMs: null,
        decision: `errored: attempt failed, ${count} of ${failuresMax}`,
      };
    return {
      ...base,
      status: 'pending',
      runInMs: Math.max(afterMs ?? 0, backoff(count, limits.retryDelayMs, limits.random)),
      decision: `failed, ${count} of ${failuresMax}: to be repeated`,
    };
  }
}
