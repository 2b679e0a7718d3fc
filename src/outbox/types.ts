/**
 * The words of the engine.
 *
 * event      what must still happen outside, as a row recorded in the transaction that made it necessary
 * due        its time has come
 * claim      take due events, and a lease on each, in a transaction of its own
 * attempt    one run of a handler; its number is the fence that every later write must name
 * outcome    what a handler answers (below), or what is known of the vendor's books (VendorOutcome)
 * settle     write what follows from the outcome, with the handler's local effects, in one transaction
 * snooze     wait, without counting a failure; always has an end
 * question   a call that changes nothing (day list, query); in vain: it got no usable answer
 * errored    given up; a person decides: requeue or discard
 */
import type { ZodType } from 'zod';
import type { Queryable, Tx } from '../database/database.js';
import type { Exchange, Trigger } from '../entities/event-attempt.js';
import type { VendorOutcome } from '../entities/outbox-event.js';

/** What an event type is, without the code that carries it out: enough to record it. */
export interface EventDefinition<P = unknown> {
  readonly type: string;
  /** The vendor, or part of lunchbox, that it calls: has slots and a breaker. At most 32 characters. */
  readonly target: string;
  /** Of the payload. A row with a newer version is left to a newer process. */
  readonly version: number;
  /** Checked when written and when read. Takes older versions, too (a union that transforms). */
  readonly schema: ZodType<P>;
  /** A valid payload, for documentation and tests. */
  readonly example: P;
  /** Unique for ever: the same thing is recorded once. */
  dedupeKey(payload: P): string;
  /** Events with the same key run one at a time in the order recorded; null runs free. */
  orderingKey(payload: P): string | null;
}

interface HandlerLimits {
  /** One attempt: the signal aborts then. Milliseconds. */
  readonly deadlineMs: number;
  /** All snoozes in a row together; past it a snooze counts as a failure. Milliseconds. */
  readonly maxSnoozeMs: number;
  /** Failed attempts until errored; absent: the engine's `failuresMax`. */
  readonly failuresMax?: number;
  /** First delay after a failure; absent: the engine's `retryDelayMs`. Milliseconds. */
  readonly retryDelayMs?: number;
  /** Asks until the event's deadline, where its path changes; absent: for 24 h from the first vain question. */
  readonly asksUntilDeadline?: boolean;
}

export interface EventHandler<P = unknown> {
  readonly definition: EventDefinition<P>;
  readonly limits: HandlerLimits;
  handle(event: ClaimedEvent<P>, context: HandlerContext): Promise<HandlerOutcome>;
  /** Local effects of becoming errored, in the settling transaction: compensate, record what must follow. */
  onErrored?(tx: Tx, event: ClaimedEvent<P>, failure: Failure): Promise<void>;
  /** What the vendor's books say about this event, for a person who asks. Only reads. */
  ask?(payload: P, context: AskContext): Promise<Finding>;
  /** The order's books after a person has stated, with proof, that the vendor did it; in that transaction. */
  onStatedDone?(tx: Tx, payload: P): Promise<void>;
  /**
   * Why a person may not discard this event now; null: they may. Every type answers, because a discard is an
   * end like any other: it compensates (`onDiscarded`), or it is refused. Only reads; asked within the
   * discard's transaction, and by the page that shows the button.
   */
  refuseDiscard(queryable: Queryable, event: OpenEvent<P>): Promise<string | null>;
  /** Local effects of a discard, in its transaction. Absent: there are none. */
  onDiscarded?(tx: Tx, event: OpenEvent<P>): Promise<void>;
}

/** An event that has not ended, as its discard sees it. */
export interface OpenEvent<P = unknown> {
  readonly id: string;
  readonly status: 'pending' | 'errored';
  /** Null: it does not fit the type's schema any more. */
  readonly payload: P | null;
  readonly subjectId: string | null;
  readonly unknownAt: Date | null;
  readonly outcome: VendorOutcome | null;
  readonly lastErrorCode: string | null;
  readonly requestId: string | null;
  readonly traceparent: string | null;
}

/** The answer to "was it done?": what the vendor's books show, and a sentence for a person. */
export interface Finding {
  readonly outcome: VendorOutcome;
  readonly text: string;
}

/** The event as a handler sees it. Instants are the database's. */
export interface ClaimedEvent<P = unknown> {
  readonly id: string;
  readonly type: string;
  readonly payload: P;
  readonly subjectId: string | null;
  readonly subjectNo: string | null;
  readonly orderingKey: string | null;
  /** The fence. */
  readonly attempt: number;
  readonly failures: number;
  readonly interruptions: number;
  readonly snoozeSince: Date | null;
  /** Questions in a row, up to now, that got no usable answer, and since when. */
  readonly vainQuestions: number;
  readonly vainSince: Date | null;
  /** When an earlier attempt last ended without a trustworthy answer; null if none did. */
  readonly unknownAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly requestId: string | null;
  readonly traceparent: string | null;
  readonly createdAt: Date;
  readonly trigger: Trigger;
}

export interface HandlerContext {
  /** Aborts at the attempt's deadline, when the lease is lost, and at shutdown. */
  readonly signal: AbortSignal;
  /** Asked before each call. False: the lease is over by the monotonic clock; another worker may go on. */
  mayStart(): boolean;
  /** The database's clock, carried on by this process's monotonic one. */
  now(): Date;
  /** A local transaction in the middle of the attempt. Throws LeaseLost when the lease is over. */
  step<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Adds a call to the attempt's journal. The caller has redacted it. */
  journal(exchange: Exchange): void;
  readonly requestId: string;
  readonly traceparent: string;
}

export type AskContext = Pick<HandlerContext, 'signal' | 'journal' | 'requestId' | 'traceparent'> &
  Partial<Pick<HandlerContext, 'mayStart'>>;

export interface Failure {
  readonly outcome: VendorOutcome;
  readonly code: string;
  readonly message: string;
  /** This attempt only asked: an unknown outcome is the doubt of an earlier attempt, not a new one. */
  readonly sentNothing?: boolean;
}

/**
 * What a handler may answer. It touches neither status nor counters; `effect` is written with the settling.
 *
 * done       nothing more is to be done; `note` tells a person why
 * retry      it failed and may work later: counts towards `failuresMax`
 * ask-again  a question got no usable answer: no failure is counted; asked until the deadline, and the third
 *            in a row calls a person
 * snooze     not now, and no failure is counted
 * give-up    it will never work: errored at once
 */
export type HandlerOutcome = { readonly effect?: (tx: Tx) => Promise<void> } & (
  | { readonly kind: 'done'; readonly outcome: VendorOutcome | null; readonly note?: string }
  | ({ readonly kind: 'retry' } & Again)
  | ({ readonly kind: 'ask-again' } & Again)
  | Snooze
  | { readonly kind: 'give-up'; readonly failure: Failure }
);

interface Again {
  readonly failure: Failure;
  readonly afterMs?: number;
}

interface Snooze {
  readonly kind: 'snooze';
  readonly afterMs: number;
  readonly outcome: VendorOutcome | null;
  readonly reason: string;
  readonly sentNothing?: boolean;
  /** Another end than the handler's `maxSnoozeMs`. */
  readonly maxMs?: number;
  /** The attempt only asked. Past the end of its snoozes it is a question in vain, and no failure. */
  readonly isQuestion?: boolean;
  /** The vendor gave no usable answer: a row of vain questions goes on. */
  readonly noAnswer?: boolean;
}

/** What the engine adds to a handler's own answers. */
export type AttemptOutcome =
  | HandlerOutcome
  | {
      readonly kind: 'interrupted';
      readonly reason: string;
      readonly sent: boolean;
      readonly effect?: never;
    };

export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor() {
    super('the lease on this event was lost');
  }
}
export class RecordedOutsideTransaction extends Error {
  override readonly name = 'RecordedOutsideTransaction';
  constructor() {
    super('an event can be recorded only inside the transaction that makes it necessary');
  }
}
export class PayloadInvalid extends Error {
  override readonly name = 'PayloadInvalid';
}
export class PayloadTooLarge extends Error {
  override readonly name = 'PayloadTooLarge';
}
