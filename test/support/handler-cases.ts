import { instant } from '../../src/database/instants.js';
import { insertRow } from '../../src/database/rows.js';
import { sql } from '../../src/database/sql.js';
import type { Call } from '../../src/dev/sandbox/faults.js';
import { Complaint } from '../../src/entities/complaint.js';
import { cabinetCard } from '../../src/handlers/cabinet-card.js';
import { coffeeRefund } from '../../src/handlers/coffee-refund.js';
import { complaintRefund } from '../../src/handlers/complaint-refund.js';
import { consumptionSync } from '../../src/handlers/consumption-sync.js';
import { dinerCard } from '../../src/handlers/diner-card.js';
import { energyCancel } from '../../src/handlers/energy-cancel.js';
import { energyRollback } from '../../src/handlers/energy-rollback.js';
import { meicanCancel } from '../../src/handlers/meican-cancel.js';
import { meicanNewOrder } from '../../src/handlers/meican-new-order.js';
import { record } from '../../src/outbox/record.js';
import type { EventDefinition } from '../../src/outbox/types.js';
import type { Kit } from './kit.js';

/** One event type, ready to be recorded about something fresh, and how to see what it did at the vendor. */
export interface HandlerCase {
  readonly definition: EventDefinition<never>;
  readonly call: Call;
  /** Records the event about something fresh; returns its id. */
  arrange(kit: Kit, menu: Awaited<ReturnType<Kit['menu']>>, sub: string): Promise<string>;
  /** How often the vendor did it. */
  effects(kit: Kit, sub: string): number;
  readonly refusal: string;
  readonly aboutOrder: boolean;
}

async function recordFor<P>(
  kit: Kit,
  definition: EventDefinition<P>,
  payload: P,
  orderId?: string,
): Promise<string> {
  return (
    await kit.database.transaction((tx) =>
      record(tx, definition, payload, orderId ? { subjectId: orderId } : {}),
    )
  ).id;
}

/** An order in our books, with whatever happened to it before, and none of its own events left. */
async function bareOrder(
  kit: Kit,
  menu: Awaited<ReturnType<Kit['menu']>>,
  sub: string,
  status: string,
): Promise<{ orderId: string; orderNo: string; userId: string; amountInCent: number }> {
  const placed = await kit.order(menu, sub);
  const order = placed.body.orders[0];
  if (!order) throw new Error(JSON.stringify(placed.body));
  if (status !== 'ORDERING') await kit.runDue();
  await kit.database.execute(sql`DELETE FROM outbox_event WHERE subject_id = ${order.id}`);
  await kit.database.execute(
    sql`UPDATE box_order SET status = ${status}, refund = ${['USER_CANCEL', 'SYSTEM_CANCEL'].includes(status) ? 'PENDING' : 'NONE'} WHERE id = ${order.id}`,
  );
  return { orderId: order.id, orderNo: order.orderNo, userId: sub, amountInCent: order.priceInCent };
}

export const handlerCases: HandlerCase[] = [
  {
    definition: meicanNewOrder as never,
    call: 'meican.addOrder',
    async arrange(kit, menu, sub) {
      const { orderId, orderNo } = await bareOrder(kit, menu, sub, 'ORDERING');
      return recordFor(kit, meicanNewOrder, { orderId, orderNo }, orderId);
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.meicanOrders.filter((order) => order.email === `${sub}@example.com`).length,
    refusal: 'DISH_NOT_AVAILABLE',
    aboutOrder: true,
  },
  {
    definition: meicanCancel as never,
    call: 'meican.cancelOrder',
    async arrange(kit, menu, sub) {
      const { orderId, orderNo } = await bareOrder(kit, menu, sub, 'USER_CANCEL');
      return recordFor(kit, meicanCancel, { orderId, orderNo }, orderId);
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.meicanOrders.filter(
        (order) => order.email === `${sub}@example.com` && order.cancelled,
      ).length,
    refusal: 'ORDER_CLOSED',
    aboutOrder: true,
  },
  {
    definition: energyCancel as never,
    call: 'energy.unPay',
    async arrange(kit, menu, sub) {
      const order = await bareOrder(kit, menu, sub, 'USER_CANCEL');
      return recordFor(kit, energyCancel, { ...order, reason: 'USER_CANCEL' }, order.orderId);
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.refunds.filter(
        (refund) => refund.userId === sub && refund.status === 'SUCCESS',
      ).length,
    refusal: '40301',
    aboutOrder: true,
  },
  {
    definition: energyRollback as never,
    call: 'energy.unPay',
    async arrange(kit, menu, sub) {
      const order = await bareOrder(kit, menu, sub, 'PAYING');
      return recordFor(kit, energyRollback, order, order.orderId);
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.refunds.filter(
        (refund) => refund.userId === sub && refund.status === 'SUCCESS',
      ).length,
    refusal: '40301',
    aboutOrder: true,
  },
  {
    definition: consumptionSync as never,
    call: 'energy.syncConsumption',
    arrange: (kit, _menu, sub) =>
      recordFor(kit, consumptionSync, {
        recordNo: `Z-${sub}`,
        userId: sub,
        amountInCent: 1200,
        canteen: 'A1',
        consumedAt: '2026-11-23T12:00:00Z',
      }),
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.consumptions.filter((consumption) => consumption.userId === sub).length,
    refusal: '40901',
    aboutOrder: false,
  },
  {
    definition: coffeeRefund as never,
    call: 'energy.unPay',
    async arrange(kit, _menu, sub) {
      const outTradeNo = await kit.coffee(sub);
      return recordFor(kit, coffeeRefund, {
        tradeNo: `C-${sub}`,
        outTradeNo,
        outRefundNo: `RCC-${sub}`,
        userId: sub,
        amountInCent: 900,
        reason: 'empty',
      });
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.refunds.filter(
        (refund) => refund.userId === sub && refund.status === 'SUCCESS',
      ).length,
    refusal: '40301',
    aboutOrder: false,
  },
  {
    definition: dinerCard as never,
    call: 'wecom.message',
    arrange: (kit, _menu, sub) =>
      recordFor(kit, dinerCard, {
        orderId: '1',
        orderNo: `N-${sub}`,
        userId: sub,
        dishName: '宫保鸡丁',
        edibleDate: '2026-11-23',
        mealType: 'LUNCH',
      }),
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.appMessages.filter((message) => message.to === sub).length,
    refusal: '60020',
    aboutOrder: false,
  },
  {
    definition: complaintRefund as never,
    call: 'energy.unPay',
    async arrange(kit, menu, sub) {
      const order = await bareOrder(kit, menu, sub, 'ORDERED');
      const complaintId = await insertRow(kit.database, Complaint, {
        orderId: order.orderId,
        openOrderId: order.orderId,
        orderNo: order.orderNo,
        userId: sub,
        kind: 'missing',
        text: 'x',
        wantedInCent: 800,
        grantedInCent: 800,
        state: 'APPROVED',
        stateAt: instant(kit.database),
        createdAt: instant(kit.database),
      });
      const wanted = { ...order, amountInCent: 800, complaintId };
      return recordFor(kit, complaintRefund, wanted, order.orderId);
    },
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.refunds.filter(
        (refund) => refund.userId === sub && refund.status === 'SUCCESS' && refund.amount === 800,
      ).length,
    refusal: '40301',
    aboutOrder: false,
  },
  {
    definition: cabinetCard as never,
    call: 'wecom.message',
    arrange: (kit, _menu, sub) =>
      recordFor(kit, cabinetCard, {
        orderId: '1',
        orderNo: `N-${sub}`,
        userId: sub,
        dishName: '宫保鸡丁',
        edibleDate: '2026-11-23',
        mealType: 'LUNCH',
        cabinet: 'A-1',
      }),
    effects: (kit, sub) =>
      kit.sandbox.ledger.books.appMessages.filter((message) => message.to === sub).length,
    refusal: '60020',
    aboutOrder: false,
  },
];
