import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLogger } from '../app/logging.js';
import { loadSettings } from '../app/settings.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import type { EventView, OrderView } from '../orders/view.js';
import { demoDay, demoGarden, type Embedded, embeddedFallback, startEmbedded, tokenFor } from './embedded.js';
import type { FaultRule } from './sandbox/faults.js';

/** `npm run demo`: a day of the canteen in half a minute, on free ports and an empty folder; exits 1 if the books do not agree. */

const quick = {
  PORT: 0,
  SANDBOX_PORT: 0,
  LOG_LEVEL: 'silent',
  RETRY_DELAY_MS: 300,
  MEICAN_SETTLE_MS: 300,
  MEICAN_TIMEOUT_MS: 800,
  ENERGY_TIMEOUT_MS: 800,
  PAYMENT_WINDOW_MS: 5_000,
  PUBLIC_URL: 'http://lunchbox.example',
};
const WAIT_MS = 30_000;

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const yuan = (cents: number): string => (cents / 100).toFixed(2);

class Story {
  readonly orders = new Map<string, string>();
  private constructor(
    private readonly embedded: Embedded,
    private readonly token: string,
  ) {}

  static async begin(embedded: Embedded): Promise<Story> {
    return new Story(embedded, await tokenFor(embedded.runtime.settings, 'on-call', 'operator'));
  }

  async call<T>(
    method: string,
    url: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.embedded.url}${url}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(key ? { 'idempotency-key': key } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  misbehave(rule: FaultRule): void {
    this.embedded.sandbox?.faults.add([rule]);
  }

  async order(who: string, mealType: 'LUNCH' | 'DINNER' = 'LUNCH'): Promise<{ status: number; id: string }> {
    const menu = await this.menu(mealType);
    const meals = [
      { dishId: menu.dishes[0]?.id, sideboardId: menu.sideboards[0]?.id, edibleDate: menu.date, mealType },
    ];
    const { status, body } = await this.call<{ orders?: OrderView[] }>(
      'POST',
      '/v1/orders',
      { garden: demoGarden, userId: who, email: `${who}@example.com`, meals },
      `order-${who}`,
    );
    const id = body.orders?.[0]?.id ?? '';
    if (id) this.orders.set(who, id);
    return { status, id };
  }

  async menu(mealType: 'LUNCH' | 'DINNER') {
    return (
      await this.call<{
        date: string;
        dishes: { id: string; stock: number; remaining: number }[];
        sideboards: { id: string; capacity: number; remaining: number }[];
      }>('GET', `/v1/menus/${demoGarden}/${demoDay()}/${mealType}`)
    ).body;
  }

  async read(id: string): Promise<OrderView> {
    return (await this.call<OrderView>('GET', `/v1/orders/${id}`)).body;
  }

  async events(orderId: string): Promise<EventView[]> {
    return (await this.call<{ data: EventView[] }>('GET', `/v1/events?orderId=${orderId}&limit=100`)).body
      .data;
  }

  async until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const seen = await look();
      if (seen) return seen;
      if (Date.now() > deadline) throw new Error(`this never happened: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  untilStatus(id: string, status: string): Promise<OrderView> {
    return this.until(`order ${id} ${status}`, async () => {
      const order = await this.read(id);
      return order.status === status && order;
    });
  }

  untilEvent(orderId: string, type: string, status: string): Promise<EventView> {
    return this.until(`${type} ${status}`, async () =>
      (await this.events(orderId)).find((event) => event.type === type && event.status === status),
    );
  }
}

async function play(story: Story): Promise<void> {
  say('1  ann orders and gets her lunch');
  const ann = await story.order('ann');
  await story.untilStatus(ann.id, 'ORDERED');

  say('2  bob orders and changes his mind');
  const bob = await story.order('bob');
  await story.untilStatus(bob.id, 'ORDERED');
  const cancelled = await story.call<{ order: OrderView }>(
    'POST',
    `/v1/orders/${bob.id}/cancel`,
    {},
    'cancel-bob',
  );
  say(`   → ${cancelled.status}, refund ${cancelled.body.order.refund}`);

  say('3  Meican places carl’s order and drops the line: the outcome is unknown, so we ask before we repeat');
  story.misbehave({ call: 'meican.addOrder', kind: 'reset-after', times: 1 });
  const carl = await story.order('carl');
  await story.untilStatus(carl.id, 'ORDERED');

  say(
    '4  the energy center takes dora’s points and says nothing: 503, rolled back; the same request again gets through',
  );
  story.misbehave({ call: 'energy.pay', kind: 'reset-after', times: 1 });
  const first = await story.order('dora');
  const second = await story.order('dora');
  say(`   → ${first.status}, then ${second.status}`);
  await story.untilStatus(second.id, 'ORDERED');

  say(
    '5  Meican fails three times on emil’s order: ORDER_ERROR, points and stock back, a card to emil, an alert',
  );
  story.misbehave({ call: 'meican.addOrder', kind: 'status-before', status: 500, times: 3 });
  const emil = await story.order('emil');
  await story.untilStatus(emil.id, 'ORDER_ERROR');
  await story.untilEvent(emil.id, energyCancel.type, 'handled');

  say('6  fred cancels while the energy center is ill: errored after three failures; on-call requeues it');
  const fred = await story.order('fred');
  await story.untilStatus(fred.id, 'ORDERED');
  story.misbehave({ call: 'energy.unPay', kind: 'status-before', status: 500, times: 9 });
  const pending = await story.call('POST', `/v1/orders/${fred.id}/cancel`, {}, 'cancel-fred');
  const errored = await story.untilEvent(fred.id, energyCancel.type, 'errored');
  const requeued = await story.call('POST', `/v1/events/${errored.id}/requeue`, {
    reason: 'the energy center is well again',
  });
  say(`   → cancel ${pending.status}, requeue ${requeued.status}`);
  await story.untilEvent(fred.id, energyCancel.type, 'handled');
}

async function tell(story: Story, embedded: Embedded): Promise<void> {
  const robot = () => embedded.sandbox?.ledger.books.robotMessages ?? [];
  await story.until('the alerts', async () => robot().length >= 2 && robot());
  say('\nwhat the on-call group was told');
  for (const message of robot())
    say(
      `  ${String((message.content as { markdown: { content: string } }).markdown.content)
        .replace(/<[^>]*>/g, '')
        .split('\n')
        .slice(0, 4)
        .join(' ')}`,
    );
  say('\norders');
  for (const [who, id] of story.orders) {
    const order = await story.read(id);
    say(
      `  ${who.padEnd(5)} ${order.orderNo}  ${order.status.padEnd(12)} refund ${order.refund.padEnd(8)} Meican ${order.meicanOrderId ?? '—'}`,
    );
    for (const event of (await story.events(id)).reverse())
      say(
        `          ${event.type.padEnd(32)} ${event.status.padEnd(9)} attempts ${event.attempt}${event.outcome ? `, ${event.outcome}` : ''}`,
      );
  }
}

/** Our books against the vendors' own. */
async function compare(story: Story, embedded: Embedded): Promise<boolean> {
  const vendors = embedded.sandbox?.ledger.books;
  if (!vendors) return false;
  const all = (await story.call<{ data: OrderView[] }>('GET', '/v1/orders?limit=100')).body.data;
  const live = all.filter((order) => ['PAYING', 'ORDERING', 'ORDERED'].includes(order.status));
  await story.until(
    'all refunds',
    async () =>
      vendors.trades.every((trade) => trade.status !== 'PROCESSING') &&
      !(await story.call<{ data: OrderView[] }>('GET', '/v1/orders?limit=100')).body.data.some(
        (order) => order.refund === 'PENDING',
      ),
  );
  const paid = vendors.trades
    .filter((trade) => trade.status === 'SUCCESS')
    .reduce((sum, trade) => sum + trade.amount, 0);
  const refunded = vendors.refunds
    .filter((refund) => refund.status === 'SUCCESS')
    .reduce((sum, refund) => sum + refund.amount, 0);
  const price = live.reduce((sum, order) => sum + order.priceInCent, 0);
  const cooking = vendors.meicanOrders
    .filter((order) => !order.cancelled)
    .map((order) => order.orderId)
    .sort();
  const menu = await story.menu('LUNCH');
  const sold = menu.dishes.reduce((sum, dish) => sum + dish.stock - dish.remaining, 0);
  const slots = menu.sideboards.reduce((sum, sideboard) => sum + sideboard.capacity - sideboard.remaining, 0);
  const lines: [string, boolean][] = [
    [
      `money   paid ${yuan(paid)} − refunded ${yuan(refunded)} = ${yuan(paid - refunded)}; live orders ${yuan(price)}`,
      paid - refunded === price,
    ],
    [
      `meals   Meican cooks ${cooking.length}; live orders ${live.length}`,
      JSON.stringify(cooking) === JSON.stringify(live.map((order) => order.meicanOrderId ?? '').sort()),
    ],
    [`dishes  taken ${sold}; live orders ${live.length}`, sold === live.length],
    [`slots   taken ${slots}; live orders ${live.length}`, slots === live.length],
  ];
  say('\nthe books');
  for (const [text, agrees] of lines) say(`  ${agrees ? 'agree   ' : 'DIFFER  '} ${text}`);
  return lines.every(([, agrees]) => agrees);
}

const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-demo-'));
let agree = false;
const embedded = await startEmbedded(
  loadSettings({ env: {}, fallback: { ...embeddedFallback(directory), ...quick } }),
  { PUBLIC_URL: quick.PUBLIC_URL },
  createLogger('silent', 'demo'),
);
try {
  const story = await Story.begin(embedded);
  await play(story);
  await tell(story, embedded);
  agree = await compare(story, embedded);
} catch (error) {
  say(`\n${(error as Error).message}`);
} finally {
  await embedded.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(agree ? 0 : 1);
