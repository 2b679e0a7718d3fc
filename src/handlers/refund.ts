import type { Clock } from '../base/clock.js';
import type { EnergyClient, Refund } from '../clients/energy.js';
import { energyCodes } from '../clients/energy.js';
import { type Outcome, PROCESSING } from '../clients/outcome.js';
import type { Database } from '../database/database.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import type { ClaimedEvent, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import { askRefund, endedFailed, type RefundResult, refundedElsewhere } from './ask-refund.js';
import { processing, stillInDoubt } from './in-doubt.js';

const TRIES = 3;
const PAUSE_MS = 500;

/** After these codes the energy center asks for a repeat with the same number. */
const REPEAT = [String(energyCodes.cancelPayError), 'HTTP_503'];

export interface RefundDependencies {
  readonly database: Database;
  readonly energy: EnergyClient;
  readonly clock: Clock;
}

/** The event of the refund: it tells whether an earlier attempt left a doubt. */
export type RefundEvent = Pick<ClaimedEvent, 'id' | 'unknownAt' | 'snoozeSince'>;

/**
 * Gives points back under one refund number: up to 3 tries, 500 ms apart, all with the same number and body,
 * so that repeating is safe. After an answer that cannot be trusted it asks before it repeats. Only SUCCESS
 * ends a refund: one that ended FAILED did nothing, counts as a failure, and is tried again by the next
 * attempt under the same number.
 */
export async function refund(
  { database, energy, clock }: RefundDependencies,
  wanted: Refund,
  event: RefundEvent,
  context: HandlerContext,
): Promise<RefundResult> {
  let inDoubt = event.unknownAt !== null;
  if (inDoubt) {
    const earlier = await askRefund(energy, wanted, context, false);
    if (earlier === 'failed') {
      if (await isNews(database, event)) return endedFailed();
      inDoubt = false;
    } else if (earlier !== 'not-known') return earlier;
  }
  let renewed = false;
  for (let tryNo = 1; ; tryNo++) {
    const outcome = await energy.unPay(wanted, callContext(context));
    renewed ||= outcome.kind === 'unknown';
    inDoubt ||= renewed;
    const isLast = tryNo === TRIES || context.signal.aborted;
    const result = await resultOf(energy, wanted, { outcome, inDoubt, renewed, isLast }, context);
    if (result) return result;
    await clock.sleep(PAUSE_MS, context.signal);
  }
}

/**
 * One try, and what is known after it. `inDoubt`: a call of this or an earlier attempt got no answer;
 * `renewed`: one of this attempt.
 */
interface Try {
  readonly outcome: Outcome<null>;
  readonly inDoubt: boolean;
  readonly renewed: boolean;
  readonly isLast: boolean;
}

/** Null: the refund is tried again. */
async function resultOf(
  energy: EnergyClient,
  wanted: Refund,
  { outcome, inDoubt, renewed, isLast }: Try,
  context: HandlerContext,
): Promise<RefundResult | null> {
  if (outcome.kind === 'rejected' && outcome.code === 'FAILED') return endedFailed();
  const doubted = (answer: HandlerOutcome): RefundResult => ({
    kind: 'answer',
    answer: inDoubt ? stillInDoubt(answer, renewed) : answer,
  });
  const judged = await judge(energy, wanted, { outcome, inDoubt }, context);
  if (judged) return judged.kind === 'answer' ? doubted(judged.answer) : judged;
  if (outcome.kind === 'unknown' && (isLast || !REPEAT.includes(outcome.code))) {
    const known = await askRefund(energy, wanted, context, true);
    if (known === 'failed') return endedFailed();
    if (known !== 'not-known') return known;
  }
  return isLast && outcome.kind !== 'applied' ? doubted(usualAnswer(outcome)) : null;
}

/** Null: this answer proves nothing, and the refund may be repeated. */
async function judge(
  energy: EnergyClient,
  wanted: Refund,
  { outcome, inDoubt }: Pick<Try, 'outcome' | 'inDoubt'>,
  context: HandlerContext,
): Promise<RefundResult | null> {
  if (outcome.kind === 'applied')
    return { kind: 'refunded', note: outcome.duplicate ? 'had been refunded already' : 'refunded' };
  if (outcome.kind === 'unknown' && outcome.code === PROCESSING)
    return { kind: 'answer', answer: processing() };
  if (outcome.kind === 'not-applied' && outcome.retryAfterMs !== null)
    return { kind: 'answer', answer: usualAnswer(outcome) };
  if (outcome.kind !== 'rejected') return null;
  switch (outcome.code) {
    case String(energyCodes.refundedUnderAnotherNumber):
      return refundedElsewhere(energy, wanted, context);
    case String(energyCodes.tradeNotFound):
    case String(energyCodes.closed):
      return { kind: 'no-payment', code: outcome.code, message: outcome.message, inDoubt };
    default:
      return { kind: 'answer', answer: usualAnswer(outcome) };
  }
}

/**
 * A FAILED that a query finds counts as a failure once. It is news when the last attempt left the refund
 * PROCESSING. After an attempt that counted it, or a person's requeue, it is known, and the refund is tried
 * again.
 */
async function isNews(database: Database, { id, snoozeSince }: RefundEvent): Promise<boolean> {
  return snoozeSince !== null && database.manager.existsBy(OutboxEvent, { id, outcome: 'unknown' });
}
