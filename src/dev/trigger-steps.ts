import { randomUUID } from 'node:crypto';
import { businessDay } from '../base/clock.js';
import { childTraceparent } from '../base/trace.js';
import { EnergyClient } from '../clients/energy.js';
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

export class NoStory extends Error {
  override readonly name = 'NoStory';
}

export async function addFault({ sandboxUrl, fault, times = 1 }: TriggerOptions, call: Call): Promise<void> {
  if (!fault) return;
  const answer = await fetch(`${sandboxUrl}/__sandbox/faults`, {
    method: 'POST',
    body: JSON.stringify({ call, ...fault, times }),
  });
  if (!answer.ok)
    throw new NoStory(`the sandbox did not take the fault: ${answer.status} ${await answer.text()}`);
}

export async function order({ client, garden }: TriggerOptions, userId: string): Promise<string> {
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

export async function orderOf(client: LunchboxClient, id: string): Promise<{ status: string }> {
  const { data, error } = await client.GET('/v1/orders/{id}', { params: { path: { id } } });
  return data ?? fail('the order cannot be read', error);
}

export async function eventOf(
  { client, waitMs }: TriggerOptions,
  orderId: string,
  type: string,
): Promise<string> {
  return until(`an event ${type}`, waitMs, async () => {
    const { data } = await client.GET('/v1/events', { params: { query: { orderId, type } } });
    return data?.data[0]?.id ?? false;
  });
}

/** Coffee is not sold by lunchbox: the machine takes the points at the energy center itself. */
export async function sellCoffee(sandboxUrl: string, userId: string, outTradeNo: string): Promise<void> {
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

export function fail(what: string, error: unknown): never {
  const { status, code, detail } = (error ?? {}) as { status?: number; code?: string; detail?: string };
  throw new NoStory([what, status, code, detail].filter((part) => part !== undefined).join(': '));
}

export async function until<T>(what: string, waitMs: number, look: () => Promise<T | false>): Promise<T> {
  for (const deadline = performance.now() + waitMs; performance.now() < deadline; ) {
    const seen = await look();
    if (seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new NoStory(`it did not happen within ${waitMs / 1000} s: ${what}`);
}
