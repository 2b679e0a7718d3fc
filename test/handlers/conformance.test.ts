import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { coffeeRefund } from '../../src/handlers/coffee-refund.js';
import { consumptionSync } from '../../src/handlers/consumption-sync.js';
import { dinerCard } from '../../src/handlers/diner-card.js';
import { energyCancel } from '../../src/handlers/energy-cancel.js';
import { energyRollback } from '../../src/handlers/energy-rollback.js';
import { meicanCancel } from '../../src/handlers/meican-cancel.js';
import { meicanNewOrder } from '../../src/handlers/meican-new-order.js';
import { record } from '../../src/outbox/record.js';
import type { EventDefinition } from '../../src/outbox/types.js';
import type { Call } from '../../src/sandbox/faults.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

interface Case {
  readonly definition: EventDefinition<never>;
  readonly call: Call;
  /** Records the event about something fresh; returns its id. */
  arrange(kit: Kit, menu: Awaited<ReturnType<Kit['menu']>>, sub: string): Promise<string>;
  /** How often the vendor did it. */
  effects(kit: Kit, sub: string): number;
  readonly refusal: string;
  readonly aboutOrder: boolean;
}

async function recordFor<P>(kit: Kit, definition: EventDefinition<P>, payload: P, orderId?: string): Promise<string> {
  return (await kit.database.transaction((tx) => record(tx, definition, payload, orderId ? { subjectId: orderId } : {}))).id;
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

const cases: Case[] = [
  {
    definition: meicanNewOrder as never,
    call: 'meican.addOrder',
    async arrange(kit, menu, sub) {
      const { orderId, orderNo } = await bareOrder(kit, menu, sub, 'ORDERING');
      return recordFor(kit, meicanNewOrder, { orderId, orderNo }, orderId);
    },
    effects: (kit, sub) => kit.sandbox.ledger.books.meicanOrders.filter((order) => order.email === `${sub}@example.com`).length,
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
    effects: (kit, sub) => kit.sandbox.ledger.books.meicanOrders.filter((order) => order.email === `${sub}@example.com` && order.cancelled).length,
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
    effects: (kit, sub) => kit.sandbox.ledger.books.refunds.filter((refund) => refund.userId === sub && refund.status === 'SUCCESS').length,
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
    effects: (kit, sub) => kit.sandbox.ledger.books.refunds.filter((refund) => refund.userId === sub && refund.status === 'SUCCESS').length,
    refusal: '40301',
    aboutOrder: true,
  },
  {
    definition: consumptionSync as never,
    call: 'energy.syncConsumption',
    arrange: (kit, _menu, sub) =>
      recordFor(kit, consumptionSync, { recordNo: `Z-${sub}`, userId: sub, amountInCent: 1200, canteen: 'A1', consumedAt: '2026-11-23T12:00:00Z' }),
    effects: (kit, sub) => kit.sandbox.ledger.books.consumptions.filter((consumption) => consumption.userId === sub).length,
    refusal: '40901',
    aboutOrder: false,
  },
  {
    definition: coffeeRefund as never,
    call: 'energy.unPay',
    async arrange(kit, menu, sub) {
      const { orderNo, amountInCent } = await bareOrder(kit, menu, sub, 'ORDERED'); // any paid trade will do for a coffee
      return recordFor(kit, coffeeRefund, { tradeNo: `C-${sub}`, outTradeNo: `P${orderNo}`, userId: sub, amountInCent, reason: 'empty' });
    },
    effects: (kit, sub) => kit.sandbox.ledger.books.refunds.filter((refund) => refund.userId === sub && refund.status === 'SUCCESS').length,
    refusal: '40301',
    aboutOrder: false,
  },
  {
    definition: dinerCard as never,
    call: 'wecom.message',
    arrange: (kit, _menu, sub) =>
      recordFor(kit, dinerCard, { orderId: '1', orderNo: `N-${sub}`, userId: sub, dishName: '宫保鸡丁', edibleDate: '2026-11-23', mealType: 'LUNCH' }),
    effects: (kit, sub) => kit.sandbox.ledger.books.appMessages.filter((message) => message.to === sub).length,
    refusal: '60020',
    aboutOrder: false,
  },
];

describe.each(databaseKinds)('every handler on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });
  const statusOf = async (id: string) =>
    (await kit.call<{ status: string; outcome: string | null; failures: number; attempts: { request: unknown; answer: unknown }[] }>('GET', `/v1/events/${id}`))
      .body;

  describe.each(cases.map((one) => [one.definition.type, one] as const))('%s', (_type, one) => {
    it('has an example that fits its schema', () => {
      expect(one.definition.schema.safeParse(one.definition.example).success).toBe(true);
    });

    it('applied: handled, done once, with request and answer in the journal', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.runDue();
      const event = await statusOf(id);
      expect(event).toMatchObject({ status: 'handled', outcome: 'applied', failures: 0 });
      expect(one.effects(kit, sub)).toBe(1);
      expect(event.attempts.at(-1)?.request).not.toBeNull();
      expect(event.attempts.at(-1)?.answer).not.toBeNull();
    });

    it('rejected: errored at once, never repeated', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: 'refused', code: one.refusal });
      await kit.pass(3);
      expect(await statusOf(id)).toMatchObject({ status: 'errored', outcome: 'rejected', failures: 1 });
      expect(one.effects(kit, sub)).toBe(0);
    });

    it('not applied: repeated, then done once', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: 'rate-limit', times: 1 });
      await kit.runDue();
      expect(await statusOf(id)).toMatchObject({ status: 'pending', failures: 0 });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it.each(['reset-after', 'hang-after', 'status-after', 'malformed-after', 'drip'] as const)('unknown (%s): done once all the same', async (fault) => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: fault, times: 1 });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it.each(['reset-before', 'hang-before', 'status-before'] as const)('unknown and not done (%s): done in the end, once', async (fault) => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: fault, times: 1 });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it('twice: a second run of the same event adds nothing', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.runDue();
      await kit.database.execute(sql`UPDATE outbox_event SET status = 'errored', queue_at = NULL WHERE id = ${id}`);
      await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'again' } });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it('after the cut-off: a placement is given up, money and cancels go on', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at`);
      await kit.runDue();
      if (one.definition.type === meicanNewOrder.type) {
        expect(await statusOf(id)).toMatchObject({ status: 'errored', outcome: 'not-applied' });
        expect(one.effects(kit, sub)).toBe(0);
      } else expect(await statusOf(id)).toMatchObject({ status: 'handled' });
    });

    if (!one.aboutOrder) return;
    it('the order gone: errored at once, no crash', async () => {
      const id = await one.arrange(kit, menu, `h${++user}`);
      await kit.database.execute(sql`DELETE FROM box_order`);
      await kit.runDue();
      expect(await statusOf(id)).toMatchObject({ status: 'errored' });
    });
  });
});
