import type { Outcome } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { AskContext, Failure, Finding, HandlerOutcome } from '../outbox/types.js';

/** `about`: whose order it is, where the handler knows. */
export const callContext = (
  context: AskContext,
  about?: { realName: string; email: string },
): CallContext => ({
  ...(about ? { about: [about.realName, about.email] } : {}),
  signal: context.signal,
  requestId: context.requestId,
  traceparent: context.traceparent,
  journal: context.journal,
  ...(context.mayStart ? { mayStart: context.mayStart } : {}),
});

type NotDone = Exclude<Outcome<unknown>, { kind: 'applied' }>;

export const failureOf = ({ kind, code, message }: NotDone): Failure => ({ outcome: kind, code, message });

/** The usual answer to a call that was not applied: refused for good → give up; rate limit → later, nobody's failure; else a failure. */
export function usualAnswer(outcome: NotDone): HandlerOutcome {
  if (outcome.kind === 'rejected') return { kind: 'give-up', failure: failureOf(outcome) };
  if (outcome.kind === 'not-applied' && outcome.retryAfterMs !== null)
    return { kind: 'snooze', afterMs: outcome.retryAfterMs, outcome: 'not-applied', reason: outcome.message };
  return { kind: 'retry', failure: failureOf(outcome) };
}

/**
 * A question that got no usable answer, whatever the reason: nobody's failure, and what was unknown still is. `sent`: the attempt had sent
 * something before it asked, so that what is unknown is new.
 */
export function askedInVain(question: NotDone, { sent = false } = {}): HandlerOutcome {
  const wait =
    question.kind === 'not-applied' && question.retryAfterMs !== null
      ? { afterMs: question.retryAfterMs }
      : {};
  const message = `asking what happened failed: ${question.message}`;
  return {
    kind: 'ask-again',
    failure: { outcome: 'unknown', code: question.code, message, ...(sent ? {} : { sentNothing: true }) },
    ...wait,
  };
}

/** What a person hears when the vendor could not be asked. */
export const noFinding = ({ code }: NotDone): Finding => ({
  outcome: 'unknown',
  text: `the question got no usable answer (${code})`,
});

/** The order that an event is about is not there: somebody deleted it by hand. Never retried, never a crash. */
export function orderGone(orderId: string): HandlerOutcome {
  return {
    kind: 'give-up',
    failure: { outcome: 'not-applied', code: 'order-gone', message: `there is no order ${orderId}` },
  };
}
