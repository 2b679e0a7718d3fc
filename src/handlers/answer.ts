import type { Outcome } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { AskContext, Failure, Finding, HandlerOutcome } from '../outbox/types.js';

/** `about`: the diner of the order, whose name and address the journal must not keep. */
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

/**
 * The usual answer to a call that was not applied: refused for good → give up; rate limit → snooze, no
 * failure; anything else → retry.
 */
export function usualAnswer(outcome: NotDone): HandlerOutcome {
  if (outcome.kind === 'rejected') return { kind: 'give-up', failure: failureOf(outcome) };
  if (outcome.kind === 'not-applied' && outcome.retryAfterMs !== null)
    return { kind: 'snooze', afterMs: outcome.retryAfterMs, outcome: 'not-applied', reason: outcome.message };
  return { kind: 'retry', failure: failureOf(outcome) };
}

/**
 * A question that got no usable answer, for any reason: no failure is counted, and an unknown outcome stays
 * unknown. `sent`: this attempt had sent a call before it asked, so the doubt is new.
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

/** The finding for a person when the vendor gave no usable answer. */
export const noFinding = ({ code }: NotDone): Finding => ({
  outcome: 'unknown',
  text: `the question got no usable answer (${code})`,
});

/** The order was deleted by hand. The event is given up: no retry brings the order back. */
export function orderGone(orderId: string): HandlerOutcome {
  return {
    kind: 'give-up',
    failure: { outcome: 'not-applied', code: 'order-gone', message: `there is no order ${orderId}` },
  };
}
