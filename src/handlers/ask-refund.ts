import type { EnergyClient, Refund } from '../clients/energy.js';
import type { Failure, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext } from './answer.js';
import { processing } from './in-doubt.js';

export type RefundResult =
  /** The points are back, now or since an earlier call. */
  | { readonly kind: 'refunded'; readonly note: string }
  /**
   * The energy center knows no such payment, or a closed one. Its view may lag, so the caller closes the
   * number before it concludes anything.
   */
  | {
      readonly kind: 'no-payment';
      readonly code: string;
      readonly message: string;
      readonly inDoubt: boolean;
    }
  | { readonly kind: 'answer'; readonly answer: HandlerOutcome };

/**
 * Asks how the refund stands. `sent`: this attempt has already sent it. `not-known` does not prove that no
 * refund was made, but repeating it under its own number is safe.
 */
export async function askRefund(
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

/** "Refunded under another number" is believed only when the payment's own record says so, too. */
export async function refundedElsewhere(
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

export function endedFailed(): RefundResult {
  const failure: Failure = {
    outcome: 'not-applied',
    code: 'REFUND_FAILED',
    message: 'the energy center ended this refund as FAILED; it did nothing',
  };
  return { kind: 'answer', answer: { kind: 'retry', failure } };
}

/**
 * One call says that the order was paid, another that no such payment exists: one of the two views lags, so
 * the refund is tried again.
 */
export function contradiction(inDoubt: boolean): HandlerOutcome {
  const message = 'the energy center says both that it was paid and that there is no such payment';
  return {
    kind: 'retry',
    failure: { outcome: inDoubt ? 'unknown' : 'not-applied', code: 'CONTRADICTION', message },
  };
}
