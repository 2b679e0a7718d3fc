import { Problem } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { duplicateOf, isUnavailable } from '../database/errors.js';
import { instant } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import { coffeeRefund, coffeeRefundOf } from '../handlers/coffee-refund.js';
import { coffeeRefundNo } from '../handlers/payloads.js';
import {
  type Answer,
  type Attempted,
  begin,
  complete,
  endFailed,
  hold,
  type Ticket,
} from '../http/idempotency.js';
import type { Outbox } from '../outbox/outbox.js';
import { readEventOf, recordEventOf, viewOf } from './handed-in.js';
import { isOurPayment } from './our-payment.js';
import type { EventView } from './view.js';

export interface CoffeeRefundInput {
  readonly tradeNo: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly reason: string | null;
}

export interface CoffeeDependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly inlineBudgetMs: number;
}

/** One request on its way. */
interface Refunding extends CoffeeDependencies {
  readonly input: CoffeeRefundInput;
  readonly ticket: Ticket;
  readonly traceparent: string | null;
}

interface Body {
  readonly tradeNo: string;
  readonly status: CoffeeTrade['status'];
  readonly events: EventView[];
}

/** Refunds a coffee trade once, however often and under however many keys it is asked for. Throws Problem. */
export async function refundCoffee(
  dependencies: CoffeeDependencies,
  attempted: Attempted,
  input: CoffeeRefundInput,
  traceparent: string | null,
): Promise<Answer> {
  const { database } = dependencies;
  if (await isOurPayment(database, input.outTradeNo)) throw ourPayment();
  const found = await begin(database, attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  const refunding = { ...dependencies, input, ticket, traceparent };
  try {
    return await carryOut(refunding, await write(refunding));
  } catch (error) {
    return endFailed(database, ticket, error);
  }
}

/** T1. Null: the trade was known. */
async function write(refunding: Refunding): Promise<Body | null> {
  const { database, ticket, input } = refunding;
  const isKnown = await database.manager.existsBy(CoffeeTrade, { tradeNo: input.tradeNo });
  try {
    return await database.transaction(async (tx) => {
      await hold(tx, ticket, [input.tradeNo]);
      return isKnown ? null : await insert(tx, refunding);
    });
  } catch (error) {
    const duplicate = duplicateOf(error);
    if (duplicate?.includes('refund_no'))
      throw new Problem('conflict', { detail: 'the refund number of this trade belongs to an older trade' });
    if (duplicate?.includes('trade_no')) return write(refunding); // a request with another key inserted it first
    throw error;
  }
}

async function insert(tx: Tx, { outbox, ticket, input, traceparent }: Refunding): Promise<Body> {
  const { tradeNo, outTradeNo, userId, amountInCent, reason } = input;
  if (await isOurPayment(tx, outTradeNo)) throw ourPayment(); // an order may have got this number since the first look
  const rowId = await insertRow(tx, CoffeeTrade, {
    tradeNo,
    outTradeNo,
    outRefundNo: coffeeRefundNo(tradeNo),
    userId,
    amountInCent,
    reason,
    status: 'PENDING',
    eventId: '',
    createdAt: instant(tx),
    updatedAt: instant(tx),
  });
  const { requestId } = ticket.attempted;
  const row = { entity: CoffeeTrade, rowId, number: tradeNo, requestId, traceparent };
  const event = await recordEventOf(tx, row, coffeeRefund, payloadOf(input));
  return { tradeNo, status: 'PENDING', events: [viewOf(outbox, event)] };
}

/**
 * The trade is written, by this request (`written`) or before it. No failure from here on undoes it: its
 * refund goes on by itself.
 */
async function carryOut(refunding: Refunding, written: Body | null): Promise<Answer> {
  const { outbox, input, inlineBudgetMs } = refunding;
  try {
    if (written) await outbox.runInline([coffeeRefund.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
    return await answer(refunding);
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!isUnavailable(error)) outbox.signals.emit('sweep-failed', { error });
    if (written) return { status: 202, body: written, replayed: false };
    throw new Problem('outcome-unknown', { retryAfterS: 2, cause: error });
  }
}

async function answer({ database, outbox, ticket, input }: Refunding): Promise<Answer> {
  const row = await database.manager.findOneByOrFail(CoffeeTrade, { tradeNo: input.tradeNo });
  if (!isSame(row, input))
    throw new Problem('conflict', { detail: 'this trade number was used with another content' });
  const body = {
    tradeNo: row.tradeNo,
    status: row.status,
    events: await readEventOf(database, outbox, row),
  };
  const status = row.status === 'PENDING' ? 202 : 200;
  // A repeat with the same key finds the trade, and answers anew.
  await complete(database, ticket, status, body).catch(() => {});
  return { status, body, replayed: false };
}

function isSame(row: CoffeeTrade, input: CoffeeRefundInput): boolean {
  return (
    row.outTradeNo === input.outTradeNo &&
    row.userId === input.userId &&
    row.amountInCent === input.amountInCent
  );
}

function payloadOf(input: CoffeeRefundInput) {
  return coffeeRefundOf({ ...input, outRefundNo: coffeeRefundNo(input.tradeNo) });
}

function ourPayment(): Problem {
  return new Problem('validation', {
    errors: [{ path: 'body.outTradeNo', message: 'this is the payment of an order: cancel the order' }],
  });
}
