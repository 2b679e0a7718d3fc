import type { Fault } from '../vendors/fault.js';
import { judge, mend, type ShownOrder, type Verdict } from './judge.js';
import type { Heard, Shop } from './shop.js';

export interface Menu {
  readonly garden: string;
  readonly date: string;
  readonly mealType: string;
  readonly dishes: readonly { id: string; remaining: number }[];
  readonly sideboards: readonly { id: string; remaining: number }[];
}

export interface Told {
  /** The statuses that the diner heard for the order, one a repeat. */
  readonly heard: readonly number[];
  /** The order's status before the cancel. */
  readonly meal: string;
  /** The status that the cancel was answered with, or – where there was nothing to cancel. */
  readonly cancelled: string;
  readonly end: string;
  readonly differences: readonly string[];
  readonly named: string;
  readonly violations: readonly string[];
}

const GARDEN = 'g1';
const ROUNDS = 60;
const BREATH_MS = 20;
const LONG_BREATH_MS = 300;
const tomorrow = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(
  Date.now() + 86_400_000,
);
const MENU_URL = `/v1/menus/${GARDEN}/${tomorrow}/LUNCH`;
/** Each process of a campaign has diners of its own. */
let diners = 0;

export async function openMenu(shop: Shop): Promise<Menu> {
  const cutoffAt = new Date(Date.now() + 43_200_000).toISOString();
  const dishes = [{ meicanDishId: '101', name: '宫保鸡丁', priceInCent: 2300, stock: 100_000 }];
  const answer = await shop.ask<Menu>('PUT', MENU_URL, 'op', {
    corp: 'corp1',
    cutoffAt,
    dishes,
    sideboards: [{ location: 'A-1', addressId: 'A1', capacity: 100_000 }],
  });
  return answer.body;
}

/** Order, come to rest, cancel, come to rest; the diner repeats what was answered with a 5xx. Each fault meets the first call of its name. */
export async function tell(shop: Shop, menu: Menu, faults: readonly Fault[]): Promise<Told> {
  diners += 1;
  const diner = `lie${diners}`;
  const { plan } = shop.vendors;
  const isLost = faults.some(({ kind }) => kind === 'lost-effect');
  plan.clear();
  for (const { call, ...kind } of faults) plan.next(call, kind);
  const before = await stockOf(shop);
  const placed = await order(shop, menu, diner);
  await rest(shop);
  const meal = await lastOrder(shop, diner);
  plan.hold(true);
  const halfWay = await judge(shop, diner, MENU_URL, isLost);
  plan.hold(false);
  const cancelled = meal?.status === 'ORDERED' ? await cancel(shop, meal.id, diner) : '–';
  const atRest = await rest(shop);
  plan.clear();
  const verdict = await judge(shop, diner, MENU_URL, isLost);
  const last = await lastOrder(shop, diner);
  const violations = [
    ...halfWay.violations,
    ...verdict.violations,
    ...(await stockDiffers(shop, before, last)),
    ...lied(placed, meal, cancelled),
    ...(atRest ? [] : ['it never comes to rest']),
  ];
  if (!isLost) violations.push(...(await mend(shop, diner, () => rest(shop))));
  await tidy(shop, diner);
  const end = `${last?.status ?? 'none'}${last && last.refund !== 'NONE' ? `, refund ${last.refund}` : ''}`;
  return {
    heard: placed.heard,
    meal: meal?.status ?? 'none',
    cancelled,
    end,
    ...together(halfWay, verdict),
    violations,
  };
}

/** What differed at either rest; the person is called once. */
function together(halfWay: Verdict, verdict: Verdict): Pick<Verdict, 'differences' | 'named'> {
  return {
    differences: [...new Set([...halfWay.differences, ...verdict.differences])],
    named: verdict.named === 'no' ? halfWay.named : verdict.named,
  };
}

async function order(shop: Shop, menu: Menu, diner: string): Promise<{ heard: number[] }> {
  const meals = [
    {
      dishId: menu.dishes[0]?.id,
      sideboardId: menu.sideboards[0]?.id,
      edibleDate: menu.date,
      mealType: menu.mealType,
    },
  ];
  const heard: number[] = [];
  while (heard.length < 4 && (heard.at(-1) ?? 500) >= 500) {
    const answer: Heard<unknown> = await shop.ask(
      'POST',
      '/v1/orders',
      diner,
      { garden: GARDEN, meals },
      `order-${diner}`,
    );
    heard.push(answer.status);
  }
  return { heard };
}

/** The last answer's status; the diner repeats what was answered with a 5xx, with the same key. */
async function cancel(shop: Shop, id: string, diner: string): Promise<string> {
  let status = 500;
  for (let times = 0; times < 4 && status >= 500; times++)
    status = (await shop.ask('POST', `/v1/orders/${id}/cancel`, diner, {}, `cancel-${diner}`)).status;
  return String(status);
}

async function lastOrder(shop: Shop, diner: string): Promise<ShownOrder | undefined> {
  const { data } = await shop.read<{ data: ShownOrder[] }>(`/v1/orders?userId=${diner}&limit=50`);
  return [...data].sort((a, b) => Number(b.id) - Number(a.id))[0];
}

/** Nothing is due any more, at ours or at the vendors'. False: it goes on and on. A search for a meal that may yet appear goes on by design. */
async function rest(shop: Shop): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round++) {
    await shop.pass();
    if (shop.vendors.pendingWork() === 0 && (await shop.openEvents()) === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LONG_BREATH_MS, BREATH_MS * 2 ** round)));
  }
  return false;
}

async function stockOf(shop: Shop): Promise<readonly [number, number]> {
  const { dishes, sideboards } = await shop.read<Menu>(MENU_URL);
  return [dishes[0]?.remaining ?? -1, sideboards[0]?.remaining ?? -1];
}

async function stockDiffers(
  shop: Shop,
  before: readonly [number, number],
  last: ShownOrder | undefined,
): Promise<string[]> {
  const held = last && ['PAYING', 'ORDERING', 'ORDERED'].includes(last.status) ? 1 : 0;
  const after = await stockOf(shop);
  const wanted = before.map((remaining) => remaining - held);
  return String(after) === String(wanted) ? [] : [`stock ${after}, should be ${wanted}`];
}

/** Who was told 201 has an order; who was refused has none that lives; who may cancel is told 200 or 202. */
function lied(
  { heard }: { heard: readonly number[] },
  meal: ShownOrder | undefined,
  cancelled: string,
): string[] {
  const [last = 0] = heard.slice(-1);
  return [
    ...(last === 201 && meal === undefined ? ['told 201, and there is no order'] : []),
    ...(last >= 400 && last < 500 && ['ORDERING', 'ORDERED'].includes(meal?.status ?? '')
      ? [`told ${last}, and the order is ${meal?.status}`]
      : []),
    ...(['–', '200', '202'].includes(cancelled) ? [] : [`the cancel is answered ${cancelled}`]),
  ];
}

async function tidy(shop: Shop, diner: string): Promise<void> {
  await shop.putAway(diner);
  const { energy, meican, wecom } = shop.vendors;
  for (const vendor of [energy, meican, wecom]) vendor.forgetComplaints();
  for (const meal of meican.books.meals.values())
    if (meal.email === `${diner}@example.com`) meican.cancelElsewhere(meal.orderId);
}
