import { now } from '../vendors/energy-books.js';
import type { Shop } from './shop.js';

/** As the contract of the HTTP API shows them. */
export interface ShownOrder {
  readonly id: string;
  readonly orderNo: string;
  readonly status: string;
  readonly priceInCent: number;
  readonly meicanOrderId: string | null;
  readonly refund: 'NONE' | 'PENDING' | 'DONE';
}

interface ShownEvent {
  readonly id: string;
  readonly type: string;
  readonly status: 'pending' | 'handled' | 'errored' | 'discarded';
}

export interface Verdict {
  /** A broken promise. */
  readonly violations: readonly string[];
  /** Where the books differ, though the order is named to a person. */
  readonly differences: readonly string[];
  /** Who calls the person: the errored events' types, or the comparison. */
  readonly named: string;
}

interface Facts {
  readonly order: ShownOrder;
  readonly events: readonly ShownEvent[];
  readonly isAlerted: boolean;
  /** Cents that the energy center has of it. */
  readonly kept: number;
}

const MOVING = ['PAYING', 'ORDERING'];
const LIVE = [...MOVING, 'ORDERED'];

/**
 * The promises, at rest: books agree or the order is named by an errored event that raised an alert. Where a vendor said that it did what it never did (`isLost`), nothing but
 * the comparison of the books can know, and its naming the order is enough. Nothing is refunded twice; nobody pays for
 * a meal that is not cooked; nothing waits for an event that does not exist; no vendor has a complaint.
 */
export async function judge(shop: Shop, userId: string, menuUrl: string, isLost: boolean): Promise<Verdict> {
  const orders = (await shop.read<{ data: ShownOrder[] }>(`/v1/orders?userId=${userId}&limit=50`)).data;
  const facts = await Promise.all(orders.map((order) => factsOf(shop, order)));
  const differences = [
    ...facts.flatMap((fact) => moneyAndMeal(shop, fact)),
    ...orphans(shop, userId, orders),
  ];
  const guilty = differences.length === 0 || !isLost ? [] : await guiltyOf(shop, userId, menuUrl);
  const errored = facts.flatMap(({ events }) =>
    events.filter(({ status }) => status === 'errored').map(({ type }) => type),
  );
  const isNamed = (orderNo: string): boolean =>
    guilty.includes(orderNo) ||
    facts.some(
      (fact) =>
        fact.order.orderNo === orderNo &&
        fact.isAlerted &&
        fact.events.some(({ status }) => status === 'errored'),
    );
  return {
    violations: [
      ...differences
        .filter(({ orderNo }) => !isNamed(orderNo))
        .map(({ orderNo, what }) => `${orderNo} is not named: ${what}`),
      ...facts.flatMap(stuck),
      ...doubleRefunds(shop, userId),
      ...complaints(shop),
    ],
    differences: differences.map(({ what }) => what),
    named:
      errored.length > 0
        ? errored.map((type) => `${type} errored`).join(', ')
        : guilty.length > 0
          ? 'by the comparison of the books'
          : 'no',
  };
}

/** A person has called the vendors to order and asks for every errored event again: then everything agrees. `rest` waits until nothing is due. */
export async function mend(shop: Shop, userId: string, rest: () => Promise<boolean>): Promise<string[]> {
  const orders = (await shop.read<{ data: ShownOrder[] }>(`/v1/orders?userId=${userId}&limit=50`)).data;
  const facts = await Promise.all(orders.map((order) => factsOf(shop, order)));
  const errored = facts.flatMap(({ events }) => events.filter(({ status }) => status === 'errored'));
  if (errored.length === 0) return [];
  for (const { id } of errored)
    await shop.ask('POST', `/v1/events/${id}/requeue`, 'op', { reason: 'the vendor is back' });
  await rest();
  const after = await Promise.all(
    (await shop.read<{ data: ShownOrder[] }>(`/v1/orders?userId=${userId}&limit=50`)).data.map((order) =>
      factsOf(shop, order),
    ),
  );
  return after
    .flatMap((fact) => [
      ...moneyAndMeal(shop, fact).map(({ what }) => what),
      ...(fact.order.refund === 'PENDING' ? ['refund PENDING'] : []),
    ])
    .map((what) => `a requeue does not mend it: ${what}`);
}

async function factsOf(shop: Shop, order: ShownOrder): Promise<Facts> {
  const events = (await shop.read<{ data: ShownEvent[] }>(`/v1/events?orderId=${order.id}&limit=100`)).data;
  const isAny = events.some(({ status }) => status === 'errored');
  const timeline = isAny
    ? (await shop.read<{ timeline: { kind: string }[] }>(`/v1/orders/${order.id}/timeline`)).timeline
    : [];
  return {
    order,
    events,
    isAlerted: timeline.some(({ kind }) => kind === 'alert'),
    kept: keptOf(shop, `P${order.orderNo}`),
  };
}

function keptOf(shop: Shop, outTradeNo: string): number {
  const trade = shop.vendors.energy.books.trades.get(outTradeNo);
  const paid = trade && now(trade) === 'SUCCESS' ? trade.amount : 0;
  return paid - shop.vendors.energy.books.givenBack(outTradeNo, false);
}

interface Difference {
  readonly orderNo: string;
  readonly what: string;
}

function moneyAndMeal(shop: Shop, { order, kept }: Facts): Difference[] {
  const { orderNo, status, meicanOrderId } = order;
  const isLive = LIVE.includes(status);
  const meal = meicanOrderId === null ? undefined : shop.vendors.meican.books.meals.get(meicanOrderId);
  const isCooked = meal !== undefined && meal.cancelledAt === null;
  return [
    ...(kept === (isLive ? order.priceInCent : 0) ? [] : [`${status}: the energy center keeps ${kept}`]),
    ...(status === 'ORDERED' && !isCooked ? ['ORDERED without a meal'] : []),
    ...(!isLive && isCooked ? [`${status}: Meican still cooks`] : []),
  ].map((what) => ({ orderNo, what }));
}

/** Meals that we placed and that no live order owns, more than one meal for the person, and money of numbers that are no order's. */
function orphans(shop: Shop, userId: string, orders: readonly ShownOrder[]): Difference[] {
  const last = orders[0]?.orderNo ?? 'none';
  const owned = new Set(orders.map(({ meicanOrderId }) => meicanOrderId));
  const cooked = [...shop.vendors.meican.books.meals.values()].filter(
    (meal) => meal.email === `${userId}@example.com` && meal.cancelledAt === null && meal.by === 'us',
  );
  const numbers = new Set(orders.map(({ orderNo }) => `P${orderNo}`));
  const foreign = [...shop.vendors.energy.books.trades.values()].filter(
    (trade) => trade.userId === userId && !numbers.has(trade.outTradeNo),
  );
  return [
    ...cooked.filter(({ orderId }) => !owned.has(orderId)).map(() => 'Meican cooks for nobody'),
    ...foreign
      .filter(({ outTradeNo }) => keptOf(shop, outTradeNo) !== 0)
      .map(({ outTradeNo }) => `paid for no order: ${outTradeNo}`),
  ].map((what) => ({ orderNo: last, what }));
}

async function guiltyOf(shop: Shop, userId: string, menuUrl: string): Promise<string[]> {
  await shop.age(userId);
  const day = menuUrl.split('/').at(-2);
  const books = await shop.read<{
    guilty: { orderNo: string | null }[];
    vendors: { guilty: { orderNo: string | null }[] };
  }>(`/v1/books?day=${day}&againstVendors=true`);
  return [...books.guilty, ...books.vendors.guilty].flatMap(({ orderNo }) => orderNo ?? []);
}

/** An order that is still on its way, or waits for its money, has an event that moves it, or one that a person has been called for. */
function stuck({ order, events, isAlerted }: Facts): string[] {
  const waits = MOVING.includes(order.status) || order.refund === 'PENDING';
  const isOpen = events.some(({ status }) => status === 'pending' || status === 'errored');
  const isSilent = events.some(({ status }) => status === 'errored') && !isAlerted;
  return [
    ...(waits && !isOpen
      ? [`${order.orderNo} ${order.status}, refund ${order.refund}: nothing moves it any more`]
      : []),
    ...(isSilent ? [`${order.orderNo}: an errored event raised no alert`] : []),
  ];
}

function doubleRefunds(shop: Shop, userId: string): string[] {
  const { trades } = shop.vendors.energy.books;
  const own = [...trades.values()].filter((trade) => trade.userId === userId);
  const times = (outTradeNo: string): number =>
    shop.vendors.energy.books
      .refundsOf(outTradeNo)
      .reduce((sum, refund) => sum + refund.history.filter(({ status }) => status === 'SUCCESS').length, 0);
  return own
    .filter(({ outTradeNo }) => times(outTradeNo) > 1)
    .map(({ outTradeNo }) => `${outTradeNo} is refunded ${times(outTradeNo)} times`);
}

function complaints({ vendors }: Shop): string[] {
  return [...vendors.energy.complaints, ...vendors.meican.complaints, ...vendors.wecom.complaints].map(
    ({ call, rule, detail }) => `${call} complains: ${rule} ${detail}`,
  );
}
