import { In } from 'typeorm';
import { crashPoint } from '../base/crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { BoxOrder, type FulfilmentState, type OrderStatus } from '../entities/box-order.js';
import { BoxSideboard } from '../entities/box-sideboard.js';
import { cabinetCard } from '../handlers/cabinet-card.js';
import type { FulfilmentWindows } from '../handlers/dependencies.js';
import { recordClose } from '../handlers/fulfilment-close.js';
import { record } from '../outbox/record.js';
import { fulfilledStatuses, moveFulfilment } from './fulfilment.js';

export interface FulfilmentUpdate {
  readonly orderNo: string;
  readonly state: FulfilmentState;
  readonly at: Date;
}

export const fulfilmentResults = ['moved', 'known', 'older', 'not-live', 'not-found'] as const;
export type FulfilmentResult = (typeof fulfilmentResults)[number];

export interface FulfilDependencies {
  readonly database: Database;
  readonly windows: FulfilmentWindows;
}

interface About {
  readonly requestId: string;
  readonly traceparent: string | null;
}

/** Orders of one transaction: it locks their rows. */
const ORDERS_AT_ONCE = 50;

/** What a service tells of boxes after the kitchen. A message that comes late, or twice, is a normal answer. */
export async function fulfil(
  { database, windows }: FulfilDependencies,
  updates: readonly FulfilmentUpdate[],
  about: About,
): Promise<FulfilmentResult[]> {
  const results: FulfilmentResult[] = updates.map(() => 'not-found');
  const orders = await ordersOf(database, updates);
  for (let first = 0; first < orders.length; first += ORDERS_AT_ONCE) {
    const some = orders.slice(first, first + ORDERS_AT_ONCE);
    await database.transaction(async (tx) => {
      for (const order of some)
        for (const [i, update] of updates.entries())
          if (update.orderNo === order.orderNo)
            results[i] = await move(tx, order, update, { windows, ...about });
      crashPoint('in-fulfilment');
    });
  }
  return results;
}

/** In the order of their ids, in which every transaction locks them. */
async function ordersOf(database: Database, updates: readonly FulfilmentUpdate[]): Promise<BoxOrder[]> {
  const orderNos = [...new Set(updates.map(({ orderNo }) => orderNo))];
  const orders = await database.manager.findBy(BoxOrder, { orderNo: In(orderNos) });
  return orders.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

async function move(
  tx: Tx,
  order: BoxOrder,
  { state, at }: FulfilmentUpdate,
  { windows, ...about }: About & Pick<FulfilDependencies, 'windows'>,
): Promise<FulfilmentResult> {
  const now = await tx.now();
  const since = at < now ? at : now; // a clock that is ahead must not lengthen a window
  if (!(await moveFulfilment(tx, order.id, { to: state, at: since }))) return whyNot(tx, order.id, state);
  if (state === 'IN_CABINET') await recordCard(tx, order, about);
  await recordClose(tx, order, { state, at: since, windows }, about);
  return 'moved';
}

async function recordCard(tx: Tx, order: BoxOrder, about: About): Promise<void> {
  const { id: orderId, orderNo, userId, dishName, edibleDate, mealType, sideboardId, addressId } = order;
  const sideboard = await tx.manager.findOneBy(BoxSideboard, { id: sideboardId });
  const cabinet = sideboard?.location ?? addressId;
  const card = { orderId, orderNo, userId, dishName, edibleDate, mealType, cabinet };
  await record(tx, cabinetCard, card, { ...about, subjectId: orderId, subjectNo: orderNo });
}

async function whyNot(tx: Tx, id: string, state: FulfilmentState): Promise<FulfilmentResult> {
  const order = await tx.manager.findOneBy(BoxOrder, { id });
  if (!order) return 'not-found';
  if (!(fulfilledStatuses as readonly OrderStatus[]).includes(order.status)) return 'not-live';
  return order.fulfilment === state ? 'known' : 'older';
}
