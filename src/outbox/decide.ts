import type { VendorOutcome } from '../entities/outbox-event.js';
import { backoff } from './backoff.js';
import type { AttemptOutcome, Failure } from './types.js';

/** Attempts in a row that may end without a word before the event counts as poison. */
export const INTERRUPTIONS_MAX = 3;
/** Questions in a row that may get no usable answer before a person hears of it. */
export const VAIN_QUESTIONS_TOLD = 3;
/** Without a deadline an event is given up so long after its first vain question. */
const QUESTIONS_MAX_MS = 24 * 3_600_000;
/** After an orderly interruption, at shutdown, an event is due at once. */
const AFTER_INTERRUPTION_MS = 0;

export interface Situation {
  readonly failures: number;
  readonly interruptions: number;
  /** Milliseconds since the first snooze of the current row; null when the last attempt was no snooze. */
  readonly snoozedForMs: number | null;
  /** Questions in vain before this attempt, in a row, and the milliseconds since the first; null for none. */
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

/** (outcome, counters, limits) → what becomes of the event. Pure; the only place that says "errored". */
export function decide(outcome: AttemptOutcome, situation: Situation): Transition {
  const { failures } = situation;
  const verdict = verdictOf(outcome, situation);
  return {
    status: verdict.status,
    runInMs: verdict.runInMs ?? null,
    failures: verdict.failures ?? failures,
    interruptions: verdict.interruptions ?? 0,
    snoozing: verdict.snoozing ?? false,
    vainQuestions: verdict.vainQuestions ?? 0,
    outcome: verdict.outcome,
    newDoubt: verdict.outcome === 'unknown' && !sentNothing(outcome),
    failure: verdict.failure ?? null,
    decision: verdict.decision,
  };
}

/** What is left out ends: rows of snoozes, vain questions and interruptions; nothing is repeated; no failure. */
type Verdict = Pick<Transition, 'status' | 'outcome' | 'decision'> & Partial<Transition>;

function sentNothing(outcome: AttemptOutcome): boolean {
  if (outcome.kind === 'interrupted') return !outcome.sent;
  const answer = 'failure' in outcome ? outcome.failure : outcome;
  return 'sentNothing' in answer && answer.sentNothing === true;
}

function verdictOf(outcome: AttemptOutcome, situation: Situation): Verdict {
  switch (outcome.kind) {
    case 'done':
      return { status: 'handled', outcome: outcome.outcome, decision: outcome.note ?? 'done' };
    case 'give-up':
      return {
        ...because(outcome.failure),
        status: 'errored',
        failures: situation.failures + 1,
        decision: 'given up at once: repeating it cannot help',
      };
    case 'retry':
      return failed(outcome.failure, outcome.afterMs, situation);
    case 'ask-again':
      return askAgain(outcome.failure, outcome.afterMs, situation);
    case 'snooze':
      return snoozed(outcome, situation);
    case 'interrupted':
      return interrupted(outcome, situation);
  }
}

function because(failure: Failure) {
  return { failure, outcome: failure.outcome };
}

function failed(failure: Failure, afterMs: number | undefined, situation: Situation): Verdict {
  const { failuresMax, retryDelayMs, random } = situation;
  const failures = situation.failures + 1;
  const base = { ...because(failure), failures };
  if (failures >= failuresMax)
    return { ...base, status: 'errored', decision: `errored: attempt failed, ${failures} of ${failuresMax}` };
  return {
    ...base,
    status: 'pending',
    runInMs: Math.max(afterMs ?? 0, backoff(failures, retryDelayMs, random)),
    decision: `failed, ${failures} of ${failuresMax}: to be repeated`,
  };
}

function askAgain(failure: Failure, afterMs: number | undefined, situation: Situation): Verdict {
  const { deadlineInMs, vainForMs, retryDelayMs, random } = situation;
  const count = situation.vainQuestions + 1;
  const leftMs = deadlineInMs ?? QUESTIONS_MAX_MS - (vainForMs ?? 0);
  // A row of snoozes goes on: nothing was learnt that ended it.
  const base = { ...because(failure), snoozing: situation.snoozedForMs !== null };
  if (leftMs <= 0)
    return { ...base, status: 'errored', decision: 'errored: no usable answer until its deadline' };
  return {
    ...base,
    status: 'pending',
    // Not beyond the deadline: there its path changes.
    runInMs: Math.min(Math.max(afterMs ?? 0, backoff(count, retryDelayMs, random)), leftMs),
    vainQuestions: count,
    decision: `no usable answer, ${count} in a row: asked again, no failure`,
  };
}

function snoozed(outcome: AttemptOutcome & { readonly kind: 'snooze' }, situation: Situation): Verdict {
  const { snoozedForMs, maxSnoozeMs, vainQuestions } = situation;
  if (snoozedForMs === null || snoozedForMs <= (outcome.maxMs ?? maxSnoozeMs))
    return {
      status: 'pending',
      runInMs: outcome.afterMs,
      snoozing: true,
      vainQuestions: outcome.noAnswer ? vainQuestions : 0,
      outcome: outcome.outcome,
      decision: `snoozed: ${outcome.reason}`,
    };
  const message = `still ${outcome.reason} after ${Math.round(snoozedForMs / 1000)} s`;
  const failure: Failure = { outcome: outcome.outcome ?? 'unknown', code: 'snoozed-too-long', message };
  return outcome.isQuestion
    ? askAgain(failure, outcome.afterMs, situation)
    : failed(failure, undefined, situation);
}

function interrupted(
  { sent, reason }: AttemptOutcome & { readonly kind: 'interrupted' },
  { inDoubt, interruptions, vainQuestions }: Situation,
): Verdict {
  const outcome = sent || inDoubt ? 'unknown' : 'not-applied';
  const base = { outcome, failure: { outcome, code: 'interrupted', message: reason } } as const;
  if (interruptions + 1 > INTERRUPTIONS_MAX)
    return {
      ...base,
      status: 'errored',
      interruptions: interruptions + 1,
      decision: 'errored: interrupted too often in a row',
    };
  return {
    ...base,
    status: 'pending',
    runInMs: AFTER_INTERRUPTION_MS,
    interruptions,
    vainQuestions,
    decision: 'interrupted: handed back, nothing counted',
  };
}
