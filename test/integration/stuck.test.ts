import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compareBooks } from '../../src/app/scheduler-part.js';
import { now, sql } from '../../src/database/sql.js';
import { disagreements } from '../support/books.js';
import { databaseKinds } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';

interface Found {
  kind: string;
  orderNo: string | null;
  what: string;
}
interface Applied {
  results: (Found & { result: string; recordedEventId: string | null; why: string })[];
}

describe.each(databaseKinds)('what nothing moves any more on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 100, capacity: 100 });
  });
  afterAll(() => kit.close());
  beforeEach(() => kit.sandbox.faults.clear());

  const books = async () => (await kit.call<{ agree: boolean; guilty: Found[] }>('GET', '/v1/books')).body;
  const plan = async () =>
    (
      await kit.call<{ remedies: (Found & { eventType: string })[] }>(
        'GET',
        `/v1/books/repairs?day=${tomorrow}`,
      )
    ).body.remedies;
  const apply = async () =>
    (await kit.call<Applied>('POST', '/v1/books/repairs', { body: { day: tomorrow, reason: 'stuck' } })).body
      .results;
  const audited = (targetId: string) =>
    kit.database.query(
      sql`SELECT actor, reason FROM operator_action WHERE target_id = ${targetId} AND verb = 'repair'`,
    );
  const placed = async (sub: string) => {
    const order = (await kit.order(menu, sub)).body.orders[0];
    if (!order) throw new Error('not placed');
    return order;
  };
  /** As an older version left it, or somebody by hand: the event is at its end, and what it should have moved is not. */
  const gone = (subject: string, type: string) =>
    kit.database.execute(sql`
      UPDATE outbox_event SET status = 'discarded', queue_at = NULL, settled_at = ${now} WHERE (subject_id = ${subject} OR subject_no = ${subject}) AND type = ${type}`);
  /** Twice at once: one event, one line of audit; the other one is told why there was nothing to do. */
  const mended = async (found: { kind: string; eventType: string }) => {
    expect(await books()).toMatchObject({
      agree: false,
      guilty: [{ kind: found.kind, what: expect.stringContaining('no event will move it') }],
    });
    expect(await plan()).toEqual(expect.arrayContaining([expect.objectContaining(found)])); // the vendors' books may show it, too
    const both = (await Promise.all([apply(), apply()])).flat();
    expect(both.filter(({ result }) => result === 'done')).toMatchObject([{ kind: found.kind }]);
    for (const other of both.filter(({ result }) => result === 'skipped'))
      expect(other.why).toMatch(/is on its way|is pending|look first/);
    await kit.settleAll();
    for (const { id } of await kit.events('&status=errored'))
      await kit.call('POST', `/v1/events/${id}/discard`, { body: { reason: 'it has ended its order' } });
    expect(await books()).toMatchObject({ agree: true, guilty: [] });
    expect(await plan()).toEqual([]);
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  };

  it('a PAYING order without its guard: the guard is recorded again, and gives back what was paid', async () => {
    const order = await placed('s1');
    await kit.database.execute(
      sql`DELETE FROM outbox_event WHERE subject_id = ${order.id} AND type = 'MEICAN_NEW_V2_ORDER'`,
    );
    await kit.database.execute(sql`UPDATE box_order SET status = 'PAYING' WHERE id = ${order.id}`);
    await gone(order.id, 'ENERGY_CENTER_ROLLBACK_V2_ERROR');
    await mended({ kind: 'payment-stuck', eventType: 'ENERGY_CENTER_ROLLBACK_V2_ERROR' });
    expect(await kit.read(order.id)).toMatchObject({ status: 'SYSTEM_CANCEL', refund: 'DONE' });
    expect(await audited(order.id)).toMatchObject([{ actor: 'op', reason: 'stuck' }]);
    expect((await kit.order(menu, 's1')).status).toBe(201); // the diner may order again
    await kit.settleAll();
  });

  it('an ORDERING order without its placement is placed', async () => {
    const order = await placed('s2');
    await gone(order.id, 'MEICAN_NEW_V2_ORDER');
    await mended({ kind: 'placement-stuck', eventType: 'MEICAN_NEW_V2_ORDER' });
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDERED' });
    expect(kit.mealsAtMeican('s2')).toBe(1);
  });

  it('an ORDERING order that Meican has already is adopted, not placed twice', async () => {
    kit.fault(
      { call: 'meican.addOrder', kind: 'reset-after', times: 1 },
      { call: 'meican.listOrders', kind: 'status-before', status: 500 },
    );
    const order = await placed('s3');
    await kit.runDue();
    kit.sandbox.faults.clear();
    await gone(order.id, 'MEICAN_NEW_V2_ORDER');
    await mended({ kind: 'placement-stuck', eventType: 'MEICAN_NEW_V2_ORDER' });
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDERED' });
    expect(kit.mealsAtMeican('s3')).toBe(1);
    // It looked before it did anything: nothing was sent that Meican would have had to refuse.
    const again = (await kit.events(`&orderId=${order.id}`)).find(
      ({ type, status }) => type === 'MEICAN_NEW_V2_ORDER' && status === 'handled',
    );
    const story = await kit.call<{ attempts: { exchanges: { call: string }[] }[] }>(
      'GET',
      `/v1/events/${again?.id}`,
    );
    expect(
      new Set(story.body.attempts.flatMap(({ exchanges }) => exchanges.map(({ call }) => call))),
    ).toEqual(new Set(['meican.listOrders']));
  });

  it('past the cut-off the order ends, and its points come back', async () => {
    const order = await placed('s4');
    await gone(order.id, 'MEICAN_NEW_V2_ORDER');
    await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at WHERE id = ${order.id}`);
    await mended({ kind: 'placement-stuck', eventType: 'MEICAN_NEW_V2_ORDER' });
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
  });

  it('a refund that nobody makes is recorded again', async () => {
    const order = await kit.ordered(menu, 's5');
    kit.fault({ call: 'energy.unPay', kind: 'reset-before' });
    await kit.cancel(order.id, 's5');
    kit.sandbox.faults.clear();
    await gone(order.id, 'ENERGY_CENTER_V2_CANCEL');
    await kit.settleAll();
    // The energy center's books show the same difference: one remedy mends both, the other says so.
    expect((await plan()).map((one) => one.kind).sort()).toEqual(['money-kept', 'refund-stuck']);
    const results = await apply();
    expect(results.map(({ result }) => result)).toEqual(['done', 'skipped']);
    expect(results[1]?.why).toMatch(/is on its way/);
    await kit.settleAll();
    expect(await kit.read(order.id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
    expect(await books()).toMatchObject({ agree: true });
  });

  it('the refund of a payment that was never confirmed goes by the guard, even when its first event is past its retention', async () => {
    kit.fault({ call: 'energy.pay', kind: 'reset-after', times: 1 });
    await kit.order(menu, 's6');
    const [row] = await kit.database.query<{ id: unknown }>(
      sql`SELECT id FROM box_order WHERE user_id = 's6'`,
    );
    const id = String(row?.id);
    await kit.database.execute(sql`DELETE FROM outbox_event WHERE subject_id = ${id}`);
    expect((await plan()).map((one) => one.kind)).toContain('refund-stuck');
    expect((await apply()).map(({ result }) => result)).toContain('done');
    await kit.settleAll();
    expect(await kit.read(id)).toMatchObject({ status: 'SYSTEM_CANCEL', refund: 'DONE' });
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('a coffee trade and a till record that nobody works on go on under their own numbers', async () => {
    const as = { as: 'svc', role: 'service' } as const;
    kit.fault({ call: 'energy.syncConsumption', kind: 'reset-before', times: 1 });
    await kit.call('POST', '/v1/canteen-consumptions', {
      ...as,
      body: {
        recordNo: 'Z1',
        userId: 'c',
        amountInCent: 100,
        canteen: 'A',
        consumedAt: '2026-11-21T12:00:00+08:00',
      },
    });
    await gone('Z1', 'ZHIPAN_SYNC_ERROR');
    await mended({ kind: 'consumption-stuck', eventType: 'ZHIPAN_SYNC_ERROR' });
    expect(await kit.database.query(sql`SELECT status FROM canteen_consumption`)).toMatchObject([
      { status: 'SYNCED' },
    ]);
    kit.sandbox.ledger.put('trades', {
      tradeNo: 'T1',
      outTradeNo: 'COFFEE1',
      userId: 'c',
      amount: 900,
      refundedAmount: 0,
      status: 'SUCCESS',
    } as never);
    kit.fault({ call: 'energy.unPay', kind: 'reset-before' });
    await kit.call('POST', '/v1/coffee-trades/K1/refund', {
      ...as,
      body: { userId: 'c', amountInCent: 900, outTradeNo: 'COFFEE1' },
    });
    kit.sandbox.faults.clear();
    await gone('K1', 'COFFEE_CONSUME_CANCEL');
    await mended({ kind: 'coffee-stuck', eventType: 'COFFEE_CONSUME_CANCEL' });
    expect(await kit.database.query(sql`SELECT status FROM coffee_trade`)).toMatchObject([
      { status: 'REFUNDED' },
    ]);
  });

  it('is alerted by the hourly comparison, whatever day it is for', async () => {
    const order = await placed('s8');
    await gone(order.id, 'MEICAN_NEW_V2_ORDER');
    await kit.database.execute(sql`UPDATE box_order SET edible_date = '2031-05-05' WHERE id = ${order.id}`);
    await compareBooks(kit.runtime, { error: () => {} });
    await kit.settleAll();
    expect(
      await kit.database.query(
        sql`SELECT group_key, kind FROM alert WHERE group_key = 'drift:placement-stuck'`,
      ),
    ).toMatchObject([{ kind: 'drift' }]);
    const [occurrence] = await kit.database.query<{ subject_no: string }>(
      sql`SELECT o.subject_no FROM alert_occurrence o JOIN alert a ON a.id = o.alert_id WHERE a.group_key = 'drift:placement-stuck'`,
    );
    expect(occurrence?.subject_no).toBe(order.orderNo);
    await kit.database.execute(sql`UPDATE box_order SET edible_date = ${tomorrow} WHERE id = ${order.id}`);
    await apply();
    await kit.settleAll();
  });

  it('a request between its payment and T2 is none of it, nor what waits for a person', async () => {
    kit.fault({ call: 'energy.pay', kind: 'latency', ms: 400, times: 1 });
    const answer = kit.order(menu, 's9');
    await expect
      .poll(
        () => kit.database.query(sql`SELECT id FROM box_order WHERE user_id = 's9' AND status = 'PAYING'`),
        { interval: 5 },
      )
      .toHaveLength(1);
    expect((await books()).guilty).toEqual([]);
    expect((await answer).status).toBe(201);
    await kit.settleAll();
    await kit.parkedRefund(menu, 's10');
    expect((await books()).guilty.map((one) => one.kind)).toEqual(['event-errored']);
  });
});
