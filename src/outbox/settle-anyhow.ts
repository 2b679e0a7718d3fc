import { isUnavailable } from '../database/errors.js';
import type { Transition } from './decide.js';
import type { Ended } from './settle.js';
import type { AttemptOutcome, Failure } from './types.js';

const SETTLE_TRIES = 4;

export interface Settling {
  /** False: the lease was lost. */
  settle(ended: Ended): Promise<boolean>;
  decideOn(outcome: AttemptOutcome): Transition;
  alertFailed(error: unknown): void;
}

/**
 * Settles an attempt even if the handler's effects, its compensation or the alert about it cannot be written:
 * what fails is left out, one step after the other, and the event's failure names what is missing, so that a
 * person is called and can run it again. `settled` false: the lease was lost.
 */
export async function settleAnyhow(
  first: Ended,
  { settle, decideOn, alertFailed }: Settling,
): Promise<{ settled: boolean; ended: Ended }> {
  for (let ended = first; ; ) {
    try {
      return { settled: await withTries(() => settle(ended)), ended };
    } catch (error) {
      if (isUnavailable(error)) throw error;
      if (ended.progress.step === 'alert') alertFailed(error);
      ended = withoutWhatFailed(ended, error as Error, decideOn);
    }
  }
}

/** The vendor has answered: worth some tries, within the lease, if the database is away for a moment. */
async function withTries(work: () => Promise<boolean>): Promise<boolean> {
  for (let tryNo = 1; ; tryNo++) {
    try {
      return await work();
    } catch (error) {
      if (tryNo >= SETTLE_TRIES || !isUnavailable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tryNo));
    }
  }
}

/** Rethrows an error of the engine's own rows. */
function withoutWhatFailed(
  ended: Ended,
  error: Error,
  decideOn: (outcome: AttemptOutcome) => Transition,
): Ended {
  const { step } = ended.progress;
  if (step === 'event' || ended.without.includes(step)) throw error;
  const left: Ended = { ...ended, without: [...ended.without, step], progress: { step: 'event' } };
  if (step === 'alert') return left;
  if (step === 'compensation')
    return {
      ...left,
      transition: { ...left.transition, failure: compensationFailed(left.transition.failure, error) },
    };
  return {
    ...left,
    effect: undefined,
    transition: decideOn({ kind: 'retry', failure: effectFailed(left.transition, error) }),
  };
}

/** What the vendor did is not in our books yet: unknown, so that it is neither repeated nor written off. */
function effectFailed({ outcome }: Transition, error: Error): Failure {
  return {
    outcome: outcome === 'not-applied' || outcome === 'rejected' ? outcome : 'unknown',
    code: 'effect-failed',
    message: `the local effects could not be written: ${error.message}`,
  };
}

function compensationFailed(failure: Failure | null, error: Error): Failure {
  const why = failure ? `${failure.code}: ${failure.message}` : 'given up';
  const missing = `THE COMPENSATION IS MISSING (${error.name}: ${error.message}); a requeue runs it again`;
  return {
    outcome: failure?.outcome ?? 'unknown',
    code: 'compensation-failed',
    message: `${missing}. Given up for ${why}`,
  };
}
