import type { EnergyClient } from '../clients/energy.js';
import { energyCodes } from '../clients/energy.js';
import { PROCESSING } from '../clients/outcome.js';
import type { HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import { processing, stillInDoubt } from './in-doubt.js';

export type Closed =
  /** No points were taken under this number, and none will be. */
  | { readonly kind: 'unpaid' }
  /** The points were taken and must be refunded. */
  | { readonly kind: 'paid' }
  /** Neither is proven: the event answers this. */
  | { readonly kind: 'answer'; readonly answer: HandlerOutcome };

/**
 * Closes a payment's number, so that a payment still on its way cannot arrive later. Only the answer to this
 * call, never a query, decides between paid and unpaid. `inDoubt`: an earlier attempt of the event left a
 * call without an answer.
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
  // The query decides nothing. An answer to it shows the breaker that the energy center is up and only this
  // call fails.
  if (closed.kind === 'unknown') await energy.queryPay(tradeNo, callContext(context));
  const answer = usualAnswer(closed);
  return { kind: 'answer', answer: inDoubt ? stillInDoubt(answer, false) : answer };
}
