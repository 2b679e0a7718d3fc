import { writeStep } from '../books/step.js';
import { setRefund } from '../books/transition.js';
import type { EnergyClient, Refund } from '../clients/energy.js';
import { energyCodes } from '../clients/energy.js';
import { type Outcome, PROCESSING } from '../clients/outcome.js';
import type { Clock } from '../clock.js';
import type { Tx } from '../database/database.js';
import type { AskContext, Finding, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { askedInVain, callContext, noFinding, usualAnswer } from './answer.js';

const TRIES = 3;
const PAUSE_MS = 500;
export const PROCESSING_SNOOZE_MS = 10_000;

/** Codes after which the energy center itself asks for a repeat with the same number. */
const REPEAT = [String(energyCodes.cancelPayError), 'HTTP_503'];

export type RefundResult =
  /** The money is back, or was already. */
  | { readonly kind: 'refunded'; readonly note: string }
  /** There is no payment to refund. */
  | { readonly kind: 'no-payment' }
  | { readonly kind: 'answer'; readonly answer: HandlerOutcome };

/**
 * Gives points back under one refund number: up to 3 tries, 500 ms apart, all with that number and body, so that repeating is safe.
 * After an answer that cannot be trusted it asks before it repeats.
 */
export async function refund(energy: EnergyClient, clock: Clock, wanted: Refund, inDoubt: boolean, context: HandlerContext): Promise<RefundResult> {
  if (inDoubt) {
    const known = await ask(energy, wanted, context);
    if (known) return known;
  }
  for (let tryNo = 1; ; tryNo++) {
    const outcome = await energy.unPay(wanted, callContext(context));
    const judged = judge(outcome);
    if (judged) return judged;
    const repeat = outcome.kind === 'not-applied' || (outcome.kind === 'unknown' && REPEAT.includes(outcome.code));
    if (!repeat) {
      const known = await ask(energy, wanted, context);
      if (known) return known;
    }
    if (tryNo === TRIES || context.signal.aborted) return { kind: 'answer', answer: usualAnswer(outcome as Exclude<typeof outcome, { kind: 'applied' }>) };
    await clock.sleep(PAUSE_MS, context.signal);
  }
}

function judge(outcome: Outcome<null>): RefundResult | null {
  if (outcome.kind === 'applied') return { kind: 'refunded', note: outcome.duplicate ? 'had been refunded already' : 'refunded' };
  if (outcome.kind === 'unknown' && outcome.code === PROCESSING) return processing();
  if (outcome.kind === 'not-applied' && outcome.retryAfterMs !== null) return { kind: 'answer', answer: usualAnswer(outcome) };
  if (outcome.kind !== 'rejected') return null;
  if (outcome.code === String(energyCodes.refundedUnderAnotherNumber)) return { kind: 'refunded', note: 'had been refunded under another number' };
  if (outcome.code === String(energyCodes.tradeNotFound) || outcome.code === String(energyCodes.closed)) return { kind: 'no-payment' };
  return { kind: 'answer', answer: usualAnswer(outcome) };
}

/** Null: the energy center knows of no such refund, so it may be asked for (again). */
async function ask(energy: EnergyClient, wanted: Refund, context: HandlerContext): Promise<RefundResult | null> {
  const found = await energy.queryRefund(wanted.outRefundNo, callContext(context));
  if (found.kind !== 'applied') return { kind: 'answer', answer: askedInVain(found, true) };
  switch (found.value.state) {
    case 'SUCCESS':
      return { kind: 'refunded', note: 'an earlier try had been carried out' };
    case 'PROCESSING':
      return processing();
    case 'FAILED':
      return {
        kind: 'answer',
        answer: { kind: 'give-up', failure: { outcome: 'rejected', code: 'REFUND_FAILED', message: 'the energy center settled this refund as FAILED' } },
      };
    case 'CLOSED':
    case 'NONE':
      return null;
  }
}

/** What the energy center's books say of a payment and of our refund of it, for a person. */
export async function findRefund(energy: EnergyClient, tradeNo: string, refundNo: string, context: AskContext): Promise<Finding> {
  const paid = await energy.queryPay(tradeNo, callContext(context));
  if (paid.kind !== 'applied') return noFinding(paid);
  const back = await energy.queryRefund(refundNo, callContext(context));
  if (back.kind !== 'applied') return noFinding(back);
  const { state, amountInCent, refundedInCent } = paid.value;
  const text = `payment ${tradeNo}: ${state}${state === 'SUCCESS' ? `, ${amountInCent} paid, ${refundedInCent} given back` : ''}; refund ${refundNo}: ${back.value.state}`;
  const settled = back.value.state === 'SUCCESS' || (state !== 'SUCCESS' && state !== 'PROCESSING');
  return { outcome: settled ? 'applied' : back.value.state === 'PROCESSING' || state === 'PROCESSING' ? 'unknown' : 'not-applied', text };
}

function processing(): RefundResult {
  return { kind: 'answer', answer: { kind: 'snooze', afterMs: PROCESSING_SNOOZE_MS, outcome: 'unknown', reason: 'the energy center is still working on it' } };
}

type Effect = (tx: Tx) => Promise<void>;

/** The order's own books once its money is back. */
export const refunded =
  (orderId: string, wanted: Pick<Refund, 'amountInCent' | 'outRefundNo'>): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'DONE')) await writeStep(tx, orderId, 'refunded', { amountInCent: wanted.amountInCent, outRefundNo: wanted.outRefundNo });
  };

/** The order's own books once it is proven that no money was, or will be, taken. */
export const nothingToRefund =
  (orderId: string, tradeNo: string): Effect =>
  async (tx) => {
    if (await setRefund(tx, orderId, 'NONE')) await writeStep(tx, orderId, 'nothing-to-refund', { outTradeNo: tradeNo });
  };
