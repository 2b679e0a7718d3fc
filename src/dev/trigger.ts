import { randomUUID } from 'node:crypto';
import { businessDay } from '../base/clock.js';
import { childTraceparent } from '../base/trace.js';
import { EnergyClient } from '../clients/energy.js';
import { coffeeRefund } from '../handlers/coffee-refund.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import type { LunchboxClient } from './client/index.js';
import { sandboxSecrets } from './sandbox/defaults.js';
import type { Call, Fault } from './sandbox/faults.js';

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 50;

/** Names that people use for faults, and the sandbox's own. */
export const faultAliases: Record<string, Fault> = {
  'timeout-after-send': { kind: 'hang-after' },
  'timeout-before-send': { kind: 'hang-before' },
  'dropped-after': { kind: 'reset-after' },
  'dropped-before': { kind: 'reset-before' },
  'server-error': { kind: 'status-before', status: 500 },
  'gateway-error-after': { kind: 'status-after', status: 502 },
  'rate-limit': { kind: 'rate-limit' },
  garbage: { kind: 'malformed-after', variant: 'truncated' },
  refused: { kind: 'refused' },
};

export interface TriggerOptions {
  readonly client: LunchboxClient;
  /** Of the sandbox that plays the vendors. */
  readonly sandboxUrl: string;
  readonly garden: string;
  readonly fault?: Fault;
  /** How often the fault strikes. */
  readonly times?: number;
  readonly userId?: string;
  /** How long to wait for an end. Milliseconds. */
  readonly waitMs: number;
}

export interface Triggered {
  readonly eventId: string;
  readonly status: string;
  readonly outcome: string | null;
  readonly attempts: number;
  readonly orderId: string | null;
  readonly orderStatus: string | null;
}

export class NoStory extends Error {
  override readonly name = 'NoStory';
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
 * Makes one event of this type happen the way diners make it happen, with a misbehaving vendor if asked to, and waits for its end.
 * Throws NoStory.
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

async function addFault({ sandboxUrl, fault, times = 1 }: TriggerOptions, call: Call): Promise<void> {
  if (!fault) return;
  const answer = await fetch(`${sandboxUrl}/__sandbox/faults`, {
    method: 'POST',
    body: JSON.stringify({ call, ...fault, times }),
  });
  if (!answer.ok)
    throw new NoStory(`the sandbox did not take the fault: ${answer.status} ${await answer.text()}`);
}

async function order({ client, garden }: TriggerOptions, userId: string): Promise<string> {
  const date = businessDay(Date.now() + DAY_MS);
  const { data: menu } = await client.GET('/v1/menus/{garden}/{date}/{mealType}', {
    params: { path: { garden, date, mealType: 'LUNCH' } },
  });
  const dish = menu?.dishes.find(({ remaining }) => remaining > 0);
  const sideboard = menu?.sideboards.find(({ remaining }) => remaining > 0);
  if (!dish || !sideboard) throw new NoStory(`there is no lunch to be had in ${garden} on ${date}`);
  const meals = [
    { dishId: dish.id, sideboardId: sideboard.id, edibleDate: date, mealType: 'LUNCH' as const },
  ];
  const { data, error } = await client.POST('/v1/orders', {
    headers: { 'Idempotency-Key': randomUUID() },
    body: { garden, userId, email: `${userId}@example.com`, meals },
  });
  return data?.orders[0]?.id ?? fail('the order was not placed', error);
}

async function orderOf(client: LunchboxClient, id: string): Promise<{ status: string }> {
  const { data, error } = await client.GET('/v1/orders/{id}', { params: { path: { id } } });
  return data ?? fail('the order cannot be read', error);
}

async function eventOf({ client, waitMs }: TriggerOptions, orderId: string, type: string): Promise<string> {
  return until(`an event ${type}`, waitMs, async () => {
    const { data } = await client.GET('/v1/events', { params: { query: { orderId, type } } });
    return data?.data[0]?.id ?? false;
  });
}

/** Coffee is not sold by lunchbox: the machine takes the points at the energy center itself. */
async function sellCoffee(sandboxUrl: string, userId: string, outTradeNo: string): Promise<void> {
  const energy = new EnergyClient({
    baseUrl: `${sandboxUrl}/energy`,
    appId: 'sandbox-app',
    appSecret: sandboxSecrets.energyAppSecret,
    timeoutMs: 3_000,
  });
  try {
    const paid = await energy.pay(
      {
        outTradeNo,
        userId,
        amountInCent: 900,
        subject: 'coffee',
        orderNo: outTradeNo,
        expireAt: new Date(Date.now() + 600_000),
      },
      { requestId: randomUUID(), traceparent: childTraceparent(null) },
    );
    if (paid.kind !== 'applied') throw new NoStory('the coffee could not be paid');
  } finally {
    energy.close();
  }
}

function fail(what: string, error: unknown): never {
  const { status, code, detail } = (error ?? {}) as { status?: number; code?: string; detail?: string };
  throw new NoStory([what, status, code, detail].filter((part) => part !== undefined).join(': '));
}

async function until<T>(what: string, waitMs: number, look: () => Promise<T | false>): Promise<T> {
  for (const deadline = performance.now() + waitMs; performance.now() < deadline; ) {
    const seen = await look();
    if (seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new NoStory(`it did not happen within ${waitMs / 1000} s: ${what}`);
}
