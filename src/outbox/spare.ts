import type { Exchange } from '../entities/event-attempt.js';
import type { Breaker, Heard } from './breaker.js';
import type { AttemptOutcome, Failure } from './types.js';

/** An outage longer than this is not waited out: its events fail, and a person is called for each. */
const VENDOR_DOWN_MAX_MS = 24 * 3_600_000;
/** Codes of calls that this process ended itself: they show nothing about the vendor. */
const OUR_OWN = new Set(['ABORTED', 'ERR_CANCELED', 'LEASE_OVER']);
/** From this status on the vendor did not look at the request, or broke while it did. */
const SERVER_ERROR = 500;
const REQUEST_TIMEOUT = 408;

export interface Circumstances {
  readonly breaker: Breaker;
  readonly exchanges: readonly Exchange[];
  /** The event's deadline had passed when it was claimed: it goes on whatever the breaker says. */
  readonly isTooLate: boolean;
  readonly retryDelayMs: number;
}

/**
 * Tells the breaker what the attempt learnt about the vendor. A failure that is the vendor's does not count
 * against the event: if the attempt did not reach the vendor, or the vendor is down, the event snoozes until
 * the canary may go. If the attempt got no answer at all, not even to the question at its end, it counts as a
 * question in vain: it is not known yet whether the call or the vendor is broken.
 */
export function sparedByBreaker(
  outcome: AttemptOutcome,
  { breaker, exchanges, isTooLate, retryDelayMs }: Circumstances,
): AttemptOutcome {
  const calls = exchanges.map(heardOf).filter((heard) => heard !== null);
  breaker.learn(calls);
  if (isTooLate || outcome.kind !== 'retry' || calls.length === 0) return outcome;
  const { failure } = outcome;
  const heardNothing = !calls.includes('answered');
  if (calls.at(-1) === 'not-reached')
    return waitForVendor(breaker, failure, 'cannot be reached', retryDelayMs);
  if (heardNothing && breaker.isOpen) return waitForVendor(breaker, failure, 'answers nothing', retryDelayMs);
  const isAsked = new Set(exchanges.map(({ call }) => call)).size > 1;
  return heardNothing && isAsked
    ? { kind: 'ask-again', failure, ...(outcome.effect && { effect: outcome.effect }) }
    : outcome;
}

function heardOf({ answer, outcome, code }: Exchange): Heard | null {
  const status = answer?.status ?? null;
  if (status !== null) return status >= SERVER_ERROR || status === REQUEST_TIMEOUT ? 'silent' : 'answered';
  if (code !== null && OUR_OWN.has(code)) return null;
  return outcome === 'not-applied' ? 'not-reached' : 'silent';
}

function waitForVendor(
  { target, opensInMs }: Breaker,
  failure: Failure,
  what: string,
  retryDelayMs: number,
): AttemptOutcome {
  return {
    kind: 'snooze',
    afterMs: opensInMs ?? retryDelayMs,
    outcome: failure.outcome,
    reason: `${target} ${what} (${failure.code})`,
    sentNothing: failure.outcome !== 'unknown' || failure.sentNothing === true,
    noAnswer: true,
    maxMs: VENDOR_DOWN_MAX_MS,
  };
}
