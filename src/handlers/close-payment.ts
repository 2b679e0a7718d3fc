import type { EnergyClient } from '../clients/energy.js';
import { energyCodes } from '../clients/energy.js';
import { PROCESSING } from '../clients/outcome.js';
import type { HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import { processing, stillInDoubt } from './in-doubt.js';

export type Closed =
  /** No money was taken under this number, and none will be. */
  | { readonly kind: 'unpaid' }
  /** The money was taken: it has to be refunded. */
  | { readonly kind: 'paid' }
  /** Neither is proven. */
  | { readonly kind: 'answer'; readonly answer: HandlerOutcome };

/**
 * Closes a payment's number, so that a payment still on its way cannot land any more. Its answer, and no question, decides between paid and unpaid.
 * `inDoubt`: an earlier attempt of the event left a call without an answer.
 */
export async function closePayment(
  energy: EnergyClient,
  tradeNo: string,
  inDoubt: boolean,
  context: HandlerContext,
): Promise<Closed> {
  const closed = await energy.closePay(tradeNo, callContext(context));
  if (closed.kind === 'applied') return { kind: 'unpaid' };
  if (closed.kind === 'rejected' && closed.code === String(energyCodes.alreadyPaid)) return { kind: 'paid' };
  if (closed.kind === 'unknown' && closed.code === PROCESSING)
    return { kind: 'answer', answer: processing() };
  // The query decides nothing. Any answer to it tells that the energy center is up, and this call alone fails.
  if (closed.kind === 'unknown') await energy.queryPay(tradeNo, callContext(context));
  const answer = usualAnswer(closed);
  return { kind: 'answer', answer: inDoubt ? stillInDoubt(answer, false) : answer };
}
