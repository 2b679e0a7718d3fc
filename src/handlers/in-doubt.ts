import type { HandlerOutcome } from '../outbox/types.js';

const PROCESSING_SNOOZE_MS = 10_000;

/**
 * The energy center has the call and has not ended it: neither a success nor a failure. `isQuestion`: this
 * attempt only asked.
 */
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
 * An earlier call with the same number is still unanswered. The answer to this call (refused, not reached,
 * rate limited) says nothing of the earlier one, so the outcome stays *unknown*. `renewed`: a call of this
 * attempt got no answer either.
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
