import type { HandlerOutcome } from '../outbox/types.js';

const PROCESSING_SNOOZE_MS = 10_000;

/** The energy center has the call and has not ended it: neither success nor failure, whoever asks. `isQuestion`: this attempt only asked. */
export function processing({ isQuestion = false } = {}): HandlerOutcome {
  const answer = {
    kind: 'snooze',
    afterMs: PROCESSING_SNOOZE_MS,
    outcome: 'unknown',
    reason: 'the energy center is still working on it',
  } as const;
  return isQuestion ? { ...answer, isQuestion, sentNothing: true } : answer;
}

/**
 * An earlier call with the same number is still unanswered. What this call was told (refused, not reached, rate limited) is about this call alone:
 * what is known of the vendor's books stays *unknown*. `renewed`: this attempt made a call without an answer itself.
 */
export function stillInDoubt(answer: HandlerOutcome, renewed: boolean): HandlerOutcome {
  const sentNothing = renewed ? {} : ({ sentNothing: true } as const);
  if (answer.kind === 'snooze')
    return { ...answer, ...(answer.outcome === 'unknown' ? {} : { outcome: 'unknown', ...sentNothing }) };
  if (answer.kind === 'ask-again' && renewed)
    return { ...answer, failure: { ...answer.failure, sentNothing: false } };
  if (answer.kind !== 'retry' && answer.kind !== 'give-up') return answer;
  if (answer.failure.outcome === 'unknown') return answer;
  return { ...answer, failure: { ...answer.failure, outcome: 'unknown', ...sentNothing } };
}
