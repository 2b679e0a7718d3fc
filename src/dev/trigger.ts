import { randomUUID } from 'node:crypto';
import { businessDay } from '../base/clock.js';
import { childTraceparent } from '../base/trace.js';
import { EnergyClient } from '../clients/energy.js';
import type { LunchboxClient } from './client/index.js';
import { sandboxSecrets } from './sandbox/defaults.js';
import type { Call, Fault } from './sandbox/faults.js';

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 50;

/** The event types that a story can be told about, and the vendor's call that each of them makes. */
export const triggers = {
  MEICAN_NEW_V2_ORDER: 'meican.addOrder',
  MEICAN_V2_CANCEL: 'meican.cancelOrder',
  ENERGY_CENTER_V2_CANCEL: 'energy.unPay',
  ENERGY_CENTER_ROLLBACK_V2_ERROR: 'energy.unPay',
  ZHIPAN_SYNC_ERROR: 'energy.syncConsumption',
  COFFEE_CONSUME_CANCEL: 'energy.unPay',
} as const satisfies Record<string, Call>;
export type TriggerType = keyof typeof triggers;
export const triggerTypes = Object.keys(triggers) as TriggerType[];

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

export interface Told {
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

/** Makes one event of this type happen by the way that diners make it happen, with a vendor that misbehaves if asked to, and waits for its end. Throws NoStory. */
export async function trigger(type: TriggerType, options: TriggerOptions): Promise<Told> {
  const { client, waitMs } = options;
  const who = options.userId ?? `trigger-${randomUUID().slice(0, 8)}`;
  const misbehave = (): Promise<void> => addFault(options, triggers[type]);
  let orderId: string | null = null;
  let eventId: string;
  switch (type) {
    case 'MEICAN_NEW_V2_ORDER':
      await misbehave();
      orderId = await order(options, who);
      eventId = await eventOf(options, orderId, type);
      break;
    case 'MEICAN_V2_CANCEL':
    case 'ENERGY_CENTER_V2_CANCEL':
      orderId = await order(options, who);
      await until(
        'the order is placed',
        waitMs,
        async () => (await orderOf(client, orderId ?? '')).status === 'ORDERED',
      );
      await misbehave();
      await client.POST('/v1/orders/{id}/cancel', {
        params: { path: { id: orderId } },
        headers: { 'Idempotency-Key': randomUUID() },
        body: {},
      });
      eventId = await eventOf(options, orderId, type);
      break;
    case 'ENERGY_CENTER_ROLLBACK_V2_ERROR': {
      // The payment is made and its answer lost: 503, and the guard looks into it.
      await addFault({ ...options, fault: { kind: 'reset-after' }, times: 1 }, 'energy.pay');
      await misbehave();
      await order(options, who).catch(() => {});
      const { data } = await client.GET('/v1/orders', { params: { query: { userId: who, limit: 1 } } });
      orderId = data?.data[0]?.id ?? null;
      eventId = await eventOf(options, orderId ?? '', type);
      break;
    }
    case 'ZHIPAN_SYNC_ERROR': {
      await misbehave();
      const recordNo = `T${Date.now()}${Math.floor(Math.random() * 1_000)}`;
      const { data, error } = await client.POST('/v1/canteen-consumptions', {
        body: {
          recordNo,
          userId: who,
          amountInCent: 1_200,
          canteen: 'A1',
          consumedAt: new Date().toISOString(),
        },
      });
      eventId = data?.events[0]?.id ?? fail('the consumption was not taken', error);
      break;
    }
    case 'COFFEE_CONSUME_CANCEL': {
      const tradeNo = `C${Date.now()}${Math.floor(Math.random() * 1_000)}`;
      await sellCoffee(options.sandboxUrl, who, tradeNo);
      await misbehave();
      const { data, error } = await client.POST('/v1/coffee-trades/{tradeNo}/refund', {
        params: { path: { tradeNo } },
        headers: { 'Idempotency-Key': randomUUID() },
        body: { userId: who, amountInCent: 900, outTradeNo: tradeNo, reason: 'it was cold' },
      });
      eventId = data?.events[0]?.id ?? fail('the refund was not taken', error);
    }
  }
  return until('the event ends', waitMs, async () => {
    const { data: event } = await client.GET('/v1/events/{id}', { params: { path: { id: eventId } } });
    if (!event || event.status === 'pending') return false;
    const orderStatus = orderId ? (await orderOf(client, orderId)).status : null;
    return {
      eventId,
      status: event.status,
      outcome: event.outcome,
      attempts: event.attempt,
      orderId,
      orderStatus,
    };
  });
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

/** Nobody orders coffee here: the till does, at the energy center. */
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
