import { randomUUID } from 'node:crypto';
import { coffeeRefund } from '../handlers/coffee-refund.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import type { Call } from './sandbox/faults.js';
import {
  addFault,
  eventOf,
  fail,
  NoStory,
  order,
  orderOf,
  sellCoffee,
  type TriggerOptions,
  until,
} from './trigger-steps.js';

export interface Triggered {
  readonly eventId: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly attempts: number;
  readonly orderId: string | null;
  readonly orderStatus: string | null;
}

/** What a story knows of the event that it made happen. */
interface Happened {
  readonly eventId: string;
  readonly orderId: string | null;
}

interface Story {
  /** The vendor's call that the event makes: the one that the fault strikes. */
  readonly call: Call;
  happen(options: TriggerOptions, type: string, who: string): Promise<Happened>;
}

/** How diners and tills make each event happen. A type without a story cannot be triggered. */
const stories = new Map<string, Story>([
  [meicanNewOrder.type, { call: 'meican.addOrder', happen: orderWithFault }],
  [meicanCancel.type, { call: 'meican.cancelOrder', happen: cancelWithFault }],
  [energyCancel.type, { call: 'energy.unPay', happen: cancelWithFault }],
  [energyRollback.type, { call: 'energy.unPay', happen: loseThePaymentsAnswer }],
  [consumptionSync.type, { call: 'energy.syncConsumption', happen: eatAtTheTill }],
  [coffeeRefund.type, { call: 'energy.unPay', happen: giveCoffeeBack }],
]);
export const triggerTypes: readonly string[] = [...stories.keys()];

/**
 * Makes one event of this type happen the way diners make it happen, with a misbehaving vendor if asked to,
 * and waits for its end. Throws NoStory.
 */
export async function trigger(type: string, options: TriggerOptions): Promise<Triggered> {
  const story = stories.get(type);
  if (!story) throw new NoStory(`no story ends in an event ${type}`);
  const who = options.userId ?? `trigger-${randomUUID().slice(0, 8)}`;
  const { eventId, orderId } = await story.happen(options, type, who);
  return until('the event ends', options.waitMs, async () => {
    const { data: event } = await options.client.GET('/v1/events/{id}', {
      params: { path: { id: eventId } },
    });
    if (!event || event.status === 'pending') return false;
    const orderStatus = orderId ? (await orderOf(options.client, orderId)).status : null;
    const { status, outcome, attempt: attempts } = event;
    return { eventId, status, outcome, attempts, orderId, orderStatus };
  });
}

async function orderWithFault(options: TriggerOptions, type: string, who: string): Promise<Happened> {
  await misbehave(options, type);
  const orderId = await order(options, who);
  return { orderId, eventId: await eventOf(options, orderId, type) };
}

async function cancelWithFault(options: TriggerOptions, type: string, who: string): Promise<Happened> {
  const { client, waitMs } = options;
  const orderId = await order(options, who);
  await until(
    'the order is placed',
    waitMs,
    async () => (await orderOf(client, orderId)).status === 'ORDERED',
  );
  await misbehave(options, type);
  await client.POST('/v1/orders/{id}/cancel', {
    params: { path: { id: orderId } },
    headers: { 'Idempotency-Key': randomUUID() },
    body: {},
  });
  return { orderId, eventId: await eventOf(options, orderId, type) };
}

/** The payment is made and its answer is lost: the diner gets 503, and the guard finds out what happened. */
async function loseThePaymentsAnswer(options: TriggerOptions, type: string, who: string): Promise<Happened> {
  await addFault({ ...options, fault: { kind: 'reset-after' }, times: 1 }, 'energy.pay');
  await misbehave(options, type);
  await order(options, who).catch(() => {});
  const { data } = await options.client.GET('/v1/orders', { params: { query: { userId: who, limit: 1 } } });
  const orderId = data?.data[0]?.id ?? null;
  return { orderId, eventId: await eventOf(options, orderId ?? '', type) };
}

async function eatAtTheTill(options: TriggerOptions, type: string, who: string): Promise<Happened> {
  await misbehave(options, type);
  const { data, error } = await options.client.POST('/v1/canteen-consumptions', {
    body: {
      recordNo: `T${uniqueNumber()}`,
      userId: who,
      amountInCent: 1_200,
      canteen: 'A1',
      consumedAt: new Date().toISOString(),
    },
  });
  return { orderId: null, eventId: data?.events[0]?.id ?? fail('the consumption was not taken', error) };
}

async function giveCoffeeBack(options: TriggerOptions, type: string, who: string): Promise<Happened> {
  const tradeNo = `C${uniqueNumber()}`;
  await sellCoffee(options.sandboxUrl, who, tradeNo);
  await misbehave(options, type);
  const { data, error } = await options.client.POST('/v1/coffee-trades/{tradeNo}/refund', {
    params: { path: { tradeNo } },
    headers: { 'Idempotency-Key': randomUUID() },
    body: { userId: who, amountInCent: 900, outTradeNo: tradeNo, reason: 'it was cold' },
  });
  return { orderId: null, eventId: data?.events[0]?.id ?? fail('the refund was not taken', error) };
}

function uniqueNumber(): string {
  return `${Date.now()}${Math.floor(Math.random() * 1_000)}`;
}

async function misbehave(options: TriggerOptions, type: string): Promise<void> {
  const story = stories.get(type);
  if (story) await addFault(options, story.call);
}
