import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { duplicateOf, isUnavailable } from '../database/errors.js';
import { now, sql } from '../database/sql.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { coffeeRefund, coffeeRefundOf } from '../handlers/coffee-refund.js';
import { coffeeRefundNo } from '../handlers/payloads.js';
import {
  type Answer,
  type Attempted,
  afterCommit,
  begin,
  complete,
  hold,
  keepRefusal,
  type Ticket,
} from '../http/idempotency.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import { isOurPayment } from './our-payment.js';
import { type EventView, eventView } from './view.js';

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
  const { database, outbox } = dependencies;
  if (await isOurPayment(database, input.outTradeNo)) throw ourPayment();
  const found = await begin(database, attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const kept = await write(database, outbox, ticket, input, traceparent);
    return await carryOut(dependencies, ticket, input, kept);
  } catch (error) {
    const told = afterCommit(ticket, error);
    throw told instanceof Problem ? await keepRefusal(database, ticket, told).catch(() => told) : told; // that it cannot be kept matters less
  }
}

/** The trade is kept, by us (`kept`) or before us. Whatever fails from here on, its refund goes on by itself. */
async function carryOut(
  { database, outbox, inlineBudgetMs }: CoffeeDependencies,
  ticket: Ticket,
  input: CoffeeRefundInput,
  kept: Body | null,
): Promise<Answer> {
  try {
    if (kept) await outbox.runInline([coffeeRefund.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
    const row = await database.manager.findOneByOrFail(CoffeeTrade, { tradeNo: input.tradeNo });
    if (
      row.outTradeNo !== input.outTradeNo ||
      row.userId !== input.userId ||
      row.amountInCent !== input.amountInCent
    )
      throw new Problem('conflict', { detail: 'this trade number was used with another content' });
    const event = await database.manager.findOneBy(OutboxEvent, { id: row.eventId });
    const body = {
      tradeNo: row.tradeNo,
      status: row.status,
      events: event ? [eventView(event, outbox.failuresMax(event.type))] : [],
    };
    const status = row.status === 'PENDING' ? 202 : 200;
    await complete(database, ticket, status, body).catch(() => {}); // the same key finds the trade, and answers anew
    return { status, body, replayed: false };
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!isUnavailable(error)) outbox.signals.emit('sweep-failed', { error });
    if (kept) return { status: 202, body: kept, replayed: false };
    throw new Problem('outcome-unknown', { retryAfterS: 2, cause: error });
  }
}

/** T1. Null: the trade was known. */
async function write(
  database: Database,
  outbox: Outbox,
  ticket: Ticket,
  input: CoffeeRefundInput,
  traceparent: string | null,
): Promise<Body | null> {
  const known = await database.manager.existsBy(CoffeeTrade, { tradeNo: input.tradeNo });
  try {
    return await database.transaction(async (tx) => {
      await hold(tx, ticket, [input.tradeNo]);
      if (known) return null;
      if (await isOurPayment(tx, input.outTradeNo)) throw ourPayment(); // an order may have got this number meanwhile
      const { insertId } = await tx.execute(sql`
        INSERT INTO coffee_trade (trade_no, out_trade_no, out_refund_no, user_id, amount_in_cent, reason, status, event_id, created_at, updated_at)
        VALUES (${input.tradeNo}, ${input.outTradeNo}, ${coffeeRefundNo(input.tradeNo)}, ${input.userId}, ${input.amountInCent}, ${input.reason}, 'PENDING', '', ${now}, ${now})`);
      const { id } = await record(tx, coffeeRefund, payloadOf(input), {
        subjectNo: input.tradeNo,
        requestId: ticket.attempted.requestId,
        traceparent,
        wake: false,
      });
      await tx.execute(sql`UPDATE coffee_trade SET event_id = ${id} WHERE id = ${insertId}`);
      const event = await tx.manager.findOneByOrFail(OutboxEvent, { id });
      return {
        tradeNo: input.tradeNo,
        status: 'PENDING',
        events: [eventView(event, outbox.failuresMax(event.type))],
      };
    });
  } catch (error) {
    if (duplicateOf(error)?.includes('refund_no'))
      throw new Problem('conflict', { detail: 'the refund number of this trade belongs to an older trade' });
    if (duplicateOf(error)?.includes('trade_no')) return write(database, outbox, ticket, input, traceparent); // another key was faster
    throw error;
  }
}

function payloadOf(input: CoffeeRefundInput) {
  return coffeeRefundOf({ ...input, outRefundNo: coffeeRefundNo(input.tradeNo) });
}

function ourPayment(): Problem {
  return new Problem('validation', {
    errors: [{ path: 'body.outTradeNo', message: 'this is the payment of an order: cancel the order' }],
  });
}
