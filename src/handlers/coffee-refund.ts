import { z } from 'zod';
import { energyCodes } from '../clients/energy.js';
import type { Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import type { EventHandler, HandlerOutcome } from '../outbox/types.js';
import type { RefundResult } from './ask-refund.js';
import type { EnergyDependencies } from './dependencies.js';
import { refundDeadlineMs } from './energy-cancel.js';
import type { EventType } from './event-type.js';
import { findRefund } from './find-refund.js';
import { stillInDoubt } from './in-doubt.js';
import { cents, dedupeOf, repair } from './payloads.js';
import { refund } from './refund.js';

const first = z.strictObject({
  tradeNo: z.string().min(1),
  outTradeNo: z.string().min(1),
  userId: z.string().min(1),
  amountInCent: cents,
  reason: z.string(),
  repair,
});
const payload = first.extend({ outRefundNo: z.string().min(1) });
type Payload = z.infer<typeof payload>;
/**
 * Version 1 refunded under `R<tradeNo>`. Its events keep that number: under another one the trade could be
 * refunded twice.
 */
const versions = z.union([
  payload,
  first.transform((old): Payload => ({ ...old, outRefundNo: firstRefundNo(old.tradeNo) })),
]);

function firstRefundNo(tradeNo: string): string {
  return `R${tradeNo}`;
}

/** An energy center may refuse a blank reason. */
const NO_REASON = 'COFFEE_REFUND';

/** The payload that gives this trade's points back. */
export function coffeeRefundOf({
  tradeNo,
  outTradeNo,
  outRefundNo,
  userId,
  amountInCent,
  reason,
}: Pick<
  CoffeeTrade,
  'tradeNo' | 'outTradeNo' | 'outRefundNo' | 'userId' | 'amountInCent' | 'reason'
>): Payload {
  const isFirst = outRefundNo === null || outRefundNo === firstRefundNo(tradeNo);
  // A refund number that may have been used is repeated with the same body.
  const why = reason ?? (isFirst ? '' : NO_REASON);
  return {
    tradeNo,
    outTradeNo,
    outRefundNo: outRefundNo ?? firstRefundNo(tradeNo),
    userId,
    amountInCent,
    reason: why,
  };
}

/** Gives the points of a coffee trade back. */
export const coffeeRefund: EventType<Payload> = {
  type: 'COFFEE_CONSUME_CANCEL',
  target: 'energy',
  version: 2,
  schema: versions,
  example: {
    tradeNo: 'C1',
    outTradeNo: 'PC1',
    outRefundNo: 'RCC1',
    userId: 'u1',
    amountInCent: 900,
    reason: 'machine empty',
  },
  dedupeKey: ({ tradeNo, repair: nth }) => dedupeOf(tradeNo, nth),
  orderingKey: ({ tradeNo }) => `energy:coffee:${tradeNo}`,
  words: {
    zh: {
      name: '咖啡退款',
      does: '退还一笔咖啡消费的能量点。',
      ifNever: '用户付了钱却没有咖啡。',
      affects: '这位用户的能量点。',
    },
    en: {
      name: 'Coffee refund',
      does: 'Gives the points of a coffee trade back.',
      ifNever: 'The customer has paid for nothing.',
      affects: 'This customer’s points.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'row PENDING',
      pending: 'refused: the points are owed',
      errored: 'refused, unless the energy center never had the trade: row REFUSED',
    },
  ],
  createHandler: ({ energy }) => createCoffeeRefund(energy),
};

const NO_SUCH_TRADE = 'NO_SUCH_TRADE';
/** After these failures, and with no call unanswered, the energy center holds no points of this trade. */
const NOTHING_OWED = [NO_SUCH_TRADE, String(energyCodes.closed)];

export function createCoffeeRefund({
  database,
  energy,
  clock,
  timeoutMs,
}: EnergyDependencies): EventHandler<Payload> {
  return {
    definition: coffeeRefund,
    limits: { deadlineMs: refundDeadlineMs(timeoutMs), maxSnoozeMs: 30 * 60_000 },
    async handle(event, context) {
      const { tradeNo, outTradeNo, outRefundNo, userId, amountInCent, reason } = event.payload;
      const wanted = { outRefundNo, outTradeNo, userId, amountInCent, reason };
      const result = await refund({ database, energy, clock }, wanted, event, context);
      if (result.kind === 'answer') return result.answer;
      if (result.kind === 'no-payment') return noPayment(result);
      return {
        kind: 'done',
        outcome: 'applied',
        note: result.note,
        effect: (tx) => markRefunded(tx, tradeNo),
      };
    },
    ask: ({ outTradeNo, outRefundNo }, context) => findRefund(energy, outTradeNo, outRefundNo, context),
    onStatedDone: (tx, { tradeNo }) => markRefunded(tx, tradeNo),
    async refuseDiscard(queryable, event) {
      if (!(await queryable.manager.existsBy(CoffeeTrade, { eventId: event.id, status: 'PENDING' })))
        return null;
      if (event.status === 'errored' && NOTHING_OWED.includes(event.lastErrorCode ?? '')) {
        return event.outcome === 'unknown'
          ? 'whether the points went back is not known: ask, then requeue it, or settle it'
          : null;
      }
      return event.status === 'pending'
        ? "the customer's points are still owed: let it go on"
        : "the customer's points are still owed: requeue it, or settle it as done with proof";
    },
    async onDiscarded(tx, { id }) {
      const refused = { status: 'REFUSED', updatedAt: instant(tx) } as const;
      await tx.manager.update(CoffeeTrade, { eventId: id, status: 'PENDING' }, refused);
    },
  };
}

/**
 * The trade's number belongs to the coffee machine, so we do not close it. CLOSED is final; "not found" may
 * be a view that lags behind the machine's own call, so the refund is tried again.
 */
function noPayment({
  code,
  message,
  inDoubt,
}: Extract<RefundResult, { kind: 'no-payment' }>): HandlerOutcome {
  const answer: HandlerOutcome =
    code === String(energyCodes.closed)
      ? { kind: 'give-up', failure: { outcome: 'rejected', code, message } }
      : {
          kind: 'retry',
          failure: {
            outcome: 'not-applied',
            code: NO_SUCH_TRADE,
            message: 'the energy center knows of no such trade',
          },
        };
  return inDoubt ? stillInDoubt(answer, false) : answer;
}

async function markRefunded(tx: Tx, tradeNo: string): Promise<void> {
  const refunded = { status: 'REFUNDED', updatedAt: instant(tx) } as const;
  await tx.manager.update(CoffeeTrade, { tradeNo, status: 'PENDING' }, refunded);
}
