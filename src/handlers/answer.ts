import type { Outcome } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { AskContext, Failure, Finding, HandlerOutcome } from '../outbox/types.js';

export const callContext = (context: AskContext): CallContext => ({
  signal: context.signal,
  requestId: context.requestId,
  traceparent: context.traceparent,
  journal: context.journal,
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

/** A question that got no answer: this attempt changed nothing, and what was unknown still is. */
export function askedInVain(outcome: NotDone, stillUnknown: boolean): HandlerOutcome {
  if (outcome.kind === 'not-applied' && outcome.retryAfterMs !== null)
    return { kind: 'snooze', afterMs: outcome.retryAfterMs, outcome: stillUnknown ? 'unknown' : 'not-applied', reason: outcome.message, sentNothing: true };
  return {
    kind: 'retry',
    failure: {
      outcome: stillUnknown ? 'unknown' : 'not-applied',
      code: outcome.code,
      message: `asking what happened failed: ${outcome.message}`,
      sentNothing: true,
    },
  };
}

/** What a person hears when the vendor could not be asked. */
export const noFinding = ({ code }: NotDone): Finding => ({ outcome: 'unknown', text: `the question got no usable answer (${code})` });

/** The order that an event is about is not there: somebody deleted it by hand. Never retried, never a crash. */
export function orderGone(orderId: string): HandlerOutcome {
  return { kind: 'give-up', failure: { outcome: 'not-applied', code: 'order-gone', message: `there is no order ${orderId}` } };
}
