import type { Database } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { now, sql } from '../database/sql.js';
import { CoffeeTrade } from '../entities/coffee-trade.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { coffeeRefund, coffeeRefundOf } from '../handlers/coffee-refund.js';
import { coffeeRefundNo } from '../handlers/payloads.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import { Problem } from '../problems.js';
import { type Answer, type Attempted, begin, complete, hold, keepRefusal, type Ticket } from './idempotency.js';
import { isOurPayment } from './our-payment.js';
import { eventView } from './view.js';

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

/** Refunds a coffee trade once, however often and under however many keys it is asked for. Throws Problem. */
export async function refundCoffee(
  { database, outbox, inlineBudgetMs }: CoffeeDependencies,
  attempted: Attempted,
  input: CoffeeRefundInput,
  traceparent: string | null,
): Promise<Answer> {
  if (await isOurPayment(database, input.outTradeNo)) throw ourPayment();
  const found = await begin(database, attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const isNew = await write(database, ticket, input, traceparent);
    if (isNew) await outbox.runInline([coffeeRefund.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
    const row = await database.manager.findOneByOrFail(CoffeeTrade, { tradeNo: input.tradeNo });
    if (row.outTradeNo !== input.outTradeNo || row.userId !== input.userId || row.amountInCent !== input.amountInCent)
      throw new Problem('conflict', { detail: 'this trade number was used with another content' });
    const event = await database.manager.findOneBy(OutboxEvent, { id: row.eventId });
    const body = { tradeNo: row.tradeNo, status: row.status, events: event ? [eventView(event, outbox.failuresMax(event.type))] : [] };
    const status = row.status === 'PENDING' ? 202 : 200;
    await complete(database, ticket, status, body);
    return { status, body, replayed: false };
  } catch (error) {
    if (error instanceof Problem) await keepRefusal(database, ticket, error).catch(() => {}); // the refusal itself matters more
    throw error;
  }
}

async function write(database: Database, ticket: Ticket, input: CoffeeRefundInput, traceparent: string | null): Promise<boolean> {
  const known = await database.manager.existsBy(CoffeeTrade, { tradeNo: input.tradeNo });
  try {
    return await database.transaction(async (tx) => {
      await hold(tx, ticket, [input.tradeNo]);
      if (known) return false;
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
      return true;
    });
  } catch (error) {
    if (duplicateOf(error)?.includes('refund_no')) throw new Problem('conflict', { detail: 'the refund number of this trade belongs to an older trade' });
    if (duplicateOf(error)?.includes('trade_no')) return write(database, ticket, input, traceparent); // another key was faster
    throw error;
  }
}

function payloadOf(input: CoffeeRefundInput) {
  return coffeeRefundOf({ ...input, outRefundNo: coffeeRefundNo(input.tradeNo) });
}

function ourPayment(): Problem {
  return new Problem('validation', { errors: [{ path: 'body.outTradeNo', message: 'this is the payment of an order: cancel the order' }] });
}
