import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compareBooks } from '../../src/app/scheduler-part.js';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';

interface Found {
  kind: string;
  orderNo: string | null;
}
interface Books {
  agree: boolean;
  sums: { name: string; difference: number }[];
  guilty: Found[];
  vendors: { compared: number; unanswered: number; guilty: Found[] } | null;
}

describe.each(databaseKinds)('the books on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });

  const books = async (more = '') =>
    (await kit.call<Books & Record<string, unknown>>('GET', `/v1/books?day=${tomorrow}${more}`)).body;
  const againstVendors = async () => (await books('&againstVendors=true')).vendors;

  it('agree after orders, cancels and failures', async () => {
    await kit.ordered(menu, 'b1');
    const second = await kit.ordered(menu, 'b2');
    await kit.cancel(second.id, 'b2');
    kit.fault({ call: 'energy.pay', kind: 'reset-after', times: 1 });
    await kit.order(menu, 'b3');
    await kit.settleAll();
    const own = await books();
    expect(own.sums.filter((sum) => sum.difference !== 0)).toEqual([]);
    expect(own.agree).toBe(true);
    expect(await againstVendors()).toMatchObject({ compared: 3, unanswered: 0, guilty: [] });
  });

  it('Meican’s "OK" without effect is found', async () => {
    kit.fault({ call: 'meican.addOrder', kind: 'lost-effect', times: 1 });
    const order = await kit.ordered(menu, 'lost1');
    expect(order.status).toBe('ORDERED');
    expect((await againstVendors())?.guilty).toMatchObject([
      { kind: 'meal-missing', orderNo: order.orderNo },
    ]);
    await kit.cancel(order.id, 'lost1');
  });

  it('the energy center’s "SUCCESS" without effect is found, for a payment and for a refund', async () => {
    kit.fault({ call: 'energy.pay', kind: 'lost-effect', times: 1 });
    const unpaid = await kit.ordered(menu, 'lost2');
    expect((await againstVendors())?.guilty).toMatchObject([
      { kind: 'money-missing', orderNo: unpaid.orderNo },
    ]);
    await kit.cancel(unpaid.id, 'lost2');
    expect((await kit.read(unpaid.id)).refund).toBe('NONE'); // there was nothing to give back; its number is closed
    const order = await kit.ordered(menu, 'lost3');
    kit.fault({ call: 'energy.unPay', kind: 'lost-effect', times: 1 });
    await kit.cancel(order.id, 'lost3');
    expect((await againstVendors())?.guilty).toMatchObject([{ kind: 'money-kept', orderNo: order.orderNo }]);
    await kit.database.execute(sql`DELETE FROM box_order WHERE id = ${order.id}`);
  });

  it('a cancel that Meican only claimed, and a meal that we do not know of, are found', async () => {
    const order = await kit.ordered(menu, 'lost4');
    kit.fault({ call: 'meican.cancelOrder', kind: 'lost-effect', times: 1 });
    await kit.cancel(order.id, 'lost4');
    expect((await againstVendors())?.guilty).toMatchObject([
      { kind: 'meal-of-ended-order', orderNo: order.orderNo },
    ]);
    await kit.database.execute(sql`UPDATE box_order SET meican_order_id = NULL WHERE id = ${order.id}`);
    expect((await againstVendors())?.guilty).toMatchObject([
      { kind: 'meal-unknown-to-us', orderNo: order.orderNo },
    ]);
  });

  it('stock that differs, and errored events, name the guilty', async () => {
    await kit.database.execute(sql`UPDATE box_dish SET remaining = remaining - 1 WHERE id = ${menu.dish.id}`);
    const order = await kit.ordered(menu, 'err1');
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'ORDER_CLOSED', times: 1 });
    await kit.cancel(order.id, 'err1');
    const own = await books();
    expect(own.agree).toBe(false);
    expect(own.guilty).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'stock-differs' }),
        expect.objectContaining({ kind: 'event-errored', orderNo: order.orderNo }),
      ]),
    );
    expect(own.sums.find((sum) => sum.name === 'dishes taken')?.difference).toBe(1);
    await kit.database.execute(sql`UPDATE box_dish SET remaining = remaining + 1 WHERE id = ${menu.dish.id}`);
  });

  it('are compared every hour by one event for all schedulers, which alerts on drift', async () => {
    const silent = { error: () => {} };
    await Promise.all([
      compareBooks(kit.runtime, silent),
      compareBooks(kit.runtime, silent),
      compareBooks(kit.runtime, silent),
    ]);
    await kit.settleAll();
    const events = await kit.events('&type=BOOKS_COMPARE');
    expect(events.map((event) => event.status)).toEqual(['handled', 'handled', 'handled']); // yesterday, today, tomorrow
    const alerts = await kit.database.query<{ group_key: string }>(
      sql`SELECT group_key FROM alert WHERE kind = 'drift'`,
    );
    expect(alerts.map((alert) => alert.group_key)).toContain('drift:meal-unknown-to-us');
  });

  it('vendors that do not answer are told as unanswered, not as agreeing', async () => {
    kit.fault({ call: 'meican.listOrders', kind: 'status-before', status: 500 });
    expect((await againstVendors())?.unanswered).toBeGreaterThan(0);
    expect((await kit.call('GET', '/v1/books?againstVendors=true')).body.code).toBe('validation');
    expect((await kit.call('GET', '/v1/books', { as: 'someone' })).status).toBe(403);
  });
});
