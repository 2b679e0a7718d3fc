import type { EnergyClient, TradeState } from '../clients/energy.js';
import type { VendorOutcome } from '../entities/outbox-event.js';
import type { AskContext, Finding } from '../outbox/types.js';
import { callContext, noFinding } from './answer.js';

/** The state of a payment and of our refund of it in the energy center's books, for a person who asks. */
export async function findRefund(
  energy: EnergyClient,
  tradeNo: string,
  refundNo: string,
  context: AskContext,
): Promise<Finding> {
  const paid = await energy.queryPay(tradeNo, callContext(context));
  if (paid.kind !== 'applied') return noFinding(paid);
  const back = await energy.queryRefund(refundNo, callContext(context));
  if (back.kind !== 'applied') return noFinding(back);
  const { state, amountInCent, refundedInCent } = paid.value;
  const isBack = state === 'SUCCESS' && amountInCent > 0 && refundedInCent >= amountInCent;
  const payment =
    state === 'SUCCESS' ? `SUCCESS, ${amountInCent} paid, ${refundedInCent} given back` : wordOf(state);
  return {
    outcome: outcomeOf(state, back.value.state, isBack),
    text: `payment ${tradeNo}: ${payment}; refund ${refundNo}: ${wordOf(back.value.state)}`,
  };
}

/**
 * Only SUCCESS, FAILED and CLOSED are final; a payment or refund that is not found may still be on its way.
 */
function outcomeOf(payment: TradeState, refund: TradeState, isBack: boolean): VendorOutcome {
  if (refund === 'SUCCESS' || isBack) return 'applied';
  if (refund === 'PROCESSING') return 'unknown';
  if (payment === 'FAILED' || payment === 'CLOSED') return 'applied'; // nothing was taken, so nothing is owed
  return payment === 'SUCCESS' && refund === 'FAILED' ? 'not-applied' : 'unknown';
}

function wordOf(state: TradeState): string {
  return state === 'NONE' ? 'not found, which proves nothing while a call is unanswered' : state;
}
