import type { Clock } from '../base/clock.js';
import type { EnergyClient, Refund } from '../clients/energy.js';
import { energyCodes } from '../clients/energy.js';
import { type Outcome, PROCESSING } from '../clients/outcome.js';
import type { Database, Tx } from '../database/database.js';
import { sql } from '../database/sql.js';
import { setRefund, writeStep } from '../orders/order.js';
import type { ClaimedEvent, Failure, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext, usualAnswer } from './answer.js';
import { processing, stillInDoubt } from './in-doubt.js';

const TRIES = 3;
const PAUSE_MS = 500;

/** Codes after which the energy center itself asks for a repeat with the same number. */
const REPEAT = [String(energyCodes.cancelPayError), 'HTTP_503'];

export type RefundResult =
  /** The money is back, or was already. */
  | { readonly kind: 'refunded'; readonly note: string }
  /** The energy center says that it knows no such payment, or a closed one. Its view may lag: whoever concludes from this closes the number first. */
  | {
      readonly kind: 'no-payment';
      readonly code: string;
      readonly message: string;
      readonly inDoubt: boolean;
    }
  | { readonly kind: 'answer'; readonly answer: HandlerOutcome };

export interface RefundDependencies {
  readonly database: Database;
  readonly energy: EnergyClient;
  readonly clock: Clock;
}

/** The event that a refund belongs to: whether an earlier attempt left a doubt, and how it ended. */
export type RefundEvent = Pick<ClaimedEvent, 'id' | 'unknownAt' | 'snoozeSince'>;

/**
 * Gives points back under one refund number: up to 3 tries, 500 ms apart, all with that number and body, so that repeating is safe.
 * After an answer that cannot be trusted it asks before it repeats. Only SUCCESS ends it: a refund that ended FAILED did nothing, counts a
 * failure, and is asked for again by the next attempt under the same number.
 */
export async function refund(
  { database, energy, clock }: RefundDependencies,
  wanted: Refund,
  event: RefundEvent,
  context: HandlerContext,
): Promise<RefundResult> {
  let inDoubt = event.unknownAt !== null;
  if (inDoubt) {
    const earlier = await ask(energy, wanted, context, false);
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
    if (outcome.kind === 'rejected' && outcome.code === 'FAILED') return endedFailed();
    const judged = await judge(energy, wanted, outcome, inDoubt, context);
    if (judged)
      return judged.kind === 'answer' && inDoubt
        ? { kind: 'answer', answer: stillInDoubt(judged.answer, renewed) }
        : judged;
    const isLast = tryNo === TRIES || context.signal.aborted;
    if (outcome.kind === 'unknown' && (isLast || !REPEAT.includes(outcome.code))) {
      const known = await ask(energy, wanted, context, true);
      if (known === 'failed') return endedFailed();
      if (known !== 'not-known') return known;
    }
    if (isLast) {
      const answer = usualAnswer(outcome as Exclude<typeof outcome, { kind: 'applied' }>);
      return { kind: 'answer', answer: inDoubt ? stillInDoubt(answer, renewed) : answer };
    }
    await clock.sleep(PAUSE_MS, context.signal);
  }
}

/** Null: this answer settles nothing, the refund may be repeated. */
async function judge(
  energy: EnergyClient,
  wanted: Refund,
  outcome: Outcome<null>,
  inDoubt: boolean,
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

/** `sent`: this attempt has sent something already. `not-known` is no proof that there was no such refund; repeating it under its own number is safe all the same. */
async function ask(
  energy: EnergyClient,
  wanted: Refund,
  context: HandlerContext,
  sent: boolean,
): Promise<RefundResult | 'not-known' | 'failed'> {
  const found = await energy.queryRefund(wanted.outRefundNo, callContext(context));
  if (found.kind !== 'applied') return { kind: 'answer', answer: askedInVain(found, { sent }) };
  switch (found.value.state) {
    case 'SUCCESS':
      return { kind: 'refunded', note: 'an earlier try had been carried out' };
    case 'PROCESSING':
      return { kind: 'answer', answer: processing({ isQuestion: !sent }) };
    case 'FAILED':
      return 'failed';
    case 'CLOSED':
    case 'NONE':
      return 'not-known';
  }
}

/**
 * A FAILED that a question finds counts once. It is news when the last attempt left the refund PROCESSING; after an attempt that counted it, or a
 * person's requeue, it is known, and the refund is asked for again.
 */
async function isNews(database: Database, { id, snoozeSince }: RefundEvent): Promise<boolean> {
  if (snoozeSince === null) return false;
  const [row] = await database.query<{ outcome: string | null }>(
    sql`SELECT outcome FROM outbox_event WHERE id = ${id}`,
  );
  return row?.outcome === 'unknown';
}

function endedFailed(): RefundResult {
  const failure: Failure = {
    outcome: 'not-applied',
    code: 'REFUND_FAILED',
    message: 'the energy center ended this refund as FAILED; it did nothing',
  };
  return { kind: 'answer', answer: { kind: 'retry', failure } };
}

/** One call says that it was paid, another that there is no such payment: one of the two views lags, so it is asked for again. */
export function contradiction(inDoubt: boolean): HandlerOutcome {
  const message = 'the energy center says both that it was paid and that there is no such payment';
  return {
    kind: 'retry',
    failure: { outcome: inDoubt ? 'unknown' : 'not-applied', code: 'CONTRADICTION', message },
  };
}

/** "Refunded under another number" is believed when the payment's own record says so, too. */
async function refundedElsewhere(
  energy: EnergyClient,
  wanted: Refund,
  context: HandlerContext,
): Promise<RefundResult> {
  const paid = await energy.queryPay(wanted.outTradeNo, callContext(context));
  if (paid.kind !== 'applied') return { kind: 'answer', answer: askedInVain(paid) };
  const { state, amountInCent, refundedInCent } = paid.value;
  if (state === 'SUCCESS' && refundedInCent >= amountInCent)
    return { kind: 'refunded', note: 'had been refunded under another number' };
  const message = `refused as refunded under another number, but the payment is ${state}, ${refundedInCent} of ${amountInCent} given back`;
  return {
    kind: 'answer',
    answer: { kind: 'retry', failure: { outcome: 'not-applied', code: 'CONTRADICTION', message } },
  };
}

type Effect = (tx: Tx) => Promise<void>;

/** The order's own books once its money is back. */
export const refunded =
  (orderId: string, wanted: Pick<Refund, 'amountInCent' | 'outRefundNo'>): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'DONE'))
      await writeStep(tx, orderId, 'refunded', {
        amountInCent: wanted.amountInCent,
        outRefundNo: wanted.outRefundNo,
      });
  };

/** The order's own books once it is proven that no money was, or will be, taken. */
export const nothingToRefund =
  (orderId: string, tradeNo: string): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'NONE'))
      await writeStep(tx, orderId, 'nothing-to-refund', { outTradeNo: tradeNo });
  };
