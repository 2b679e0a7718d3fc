import type { Clock } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import { childTraceparent } from '../base/trace.js';
import { type EnergyClient, energyCodes, type TradeState } from '../clients/energy.js';
import { type Outcome, PROCESSING } from '../clients/outcome.js';
import type { CallContext } from '../clients/transport.js';
import type { BoxOrder } from '../entities/box-order.js';
import { outTradeNo } from '../handlers/payloads.js';

export type Payment = Outcome<null>;

export interface PayDependencies {
  readonly energy: EnergyClient;
  readonly clock: Clock;
  /** The guard of an unconfirmed payment falls due this long after the order was written. Milliseconds. */
  readonly paymentWindowMs: number;
  readonly payTimeoutMs: number;
}

const PROCESSING_ASK_MS = 300;

type Payable = Pick<BoxOrder, 'orderNo' | 'userId' | 'priceInCent' | 'edibleDate' | 'mealType' | 'createdAt'>;

/**
 * Takes the points of one order. The only vendor call outside the engine, because the diner waits for its
 * answer.
 */
export async function pay(
  { energy, clock, paymentWindowMs, payTimeoutMs }: PayDependencies,
  order: Payable,
  { requestId, traceparent }: { readonly requestId: string; readonly traceparent: string | null },
): Promise<Payment> {
  const context: CallContext = { requestId, traceparent: childTraceparent(traceparent) };
  let outcome = await energy.pay(wantedOf(order, paymentWindowMs), context);
  const deadline = performance.now() + payTimeoutMs;
  while (outcome.kind === 'unknown' && outcome.code === PROCESSING && performance.now() < deadline) {
    await clock.sleep(PROCESSING_ASK_MS);
    const asked = await energy.queryPay(outTradeNo(order.orderNo), context);
    if (asked.kind === 'applied') outcome = endedAs(asked.value.state) ?? outcome;
  }
  return outcome;
}

/** The same body for every repeat of this number, because the energy center refuses another one. */
function wantedOf(order: Payable, paymentWindowMs: number) {
  return {
    outTradeNo: outTradeNo(order.orderNo),
    userId: order.userId,
    amountInCent: order.priceInCent,
    subject: `${order.edibleDate} ${order.mealType}`,
    orderNo: order.orderNo,
    expireAt: new Date(order.createdAt.getTime() + paymentWindowMs),
  };
}

/**
 * How a payment that was PROCESSING ended. Null: its end is not known; "not found" may be a view that lags,
 * and proves nothing.
 */
function endedAs(state: TradeState): Payment | null {
  switch (state) {
    case 'SUCCESS':
      return { kind: 'applied', value: null, duplicate: false };
    case 'FAILED':
    case 'CLOSED':
      return { kind: 'rejected', code: state, message: `the payment ended as ${state}` };
    case 'PROCESSING':
    case 'NONE':
      return null;
  }
}

/**
 * `isUnpaid`: no points were taken for any meal of the request. Only then is it told that nothing happened.
 */
export function problemOf(payment: Payment, isUnpaid: boolean): Problem {
  if (payment.kind === 'rejected') {
    if (payment.code === String(energyCodes.insufficientBalance)) return new Problem('insufficient-energy');
    const { cardNotUsable, accountNotFound } = energyCodes;
    if (payment.code === String(cardNotUsable) || payment.code === String(accountNotFound))
      return new Problem('card-not-usable');
  }
  if (payment.kind === 'unknown' || !isUnpaid) return new Problem('payment-unknown', { retryAfterS: 5 });
  return new Problem('dependency-unavailable', {
    detail: 'the energy center did not take the payment',
    retryAfterS: 5,
  });
}
