import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/** Answers of the energy center and of Meican that fail an attempt and leave no trace. */
const down = { kind: 'status-before', status: 500 } as const;

describe.each(databaseKinds)('the third failure on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    await kit.database.execute(sql`DELETE FROM alert_occurrence`);
    await kit.database.execute(sql`DELETE FROM alert`);
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  const alerts = () =>
    kit.database.query<{ kind: string; event_type: string; occurrences: number }>(
      sql`SELECT kind, event_type, occurrences FROM alert ORDER BY id`,
    );

  it('MEICAN_NEW_V2_ORDER: ORDER_ERROR, stock and points back, a card to the diner, one alert, a ghost sweep', async () => {
    const before = await kit.stockOf(menu);
    const placed = await kit.order(menu, 'new1');
    const id = placed.body.orders[0]?.id ?? '';
    kit.fault({ call: 'meican.addOrder', ...down, times: 3 });
    for (let i = 0; i < 3; i++) await kit.pass(1, ['MEICAN_NEW_V2_ORDER']);
    expect(await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({
      status: 'errored',
      failures: 3,
      failuresMax: 3,
    });
    expect(await kit.stockOf(menu)).toEqual(before);
    expect((await kit.read(id)).status).toBe('ORDER_ERROR');
    await kit.runDue();
    expect((await kit.read(id)).refund).toBe('DONE');
    expect(kit.balanceOf('new1')).toBe(100_000);
    expect(kit.sandbox.ledger.books.appMessages.filter((message) => message.to === 'new1')).toHaveLength(1);
    expect(await alerts()).toMatchObject([{ event_type: 'MEICAN_NEW_V2_ORDER', occurrences: 1 }]);
    expect(await kit.eventOf(id, 'MEICAN_V2_CANCEL')).toMatchObject({ status: 'pending' });
  });

  it('a ghost that turns up after all is found by the sweep and removed', async () => {
    const placed = await kit.order(menu, 'ghost1');
    const id = placed.body.orders[0]?.id ?? '';
    kit.fault(
      { call: 'meican.addOrder', ...down, times: 2 },
      { call: 'meican.addOrder', kind: 'late-effect', ms: 2_000, times: 1 },
    );
    for (let i = 0; i < 3; i++) await kit.pass(1, ['MEICAN_NEW_V2_ORDER']);
    expect((await kit.read(id)).status).toBe('ORDER_ERROR');
    await expect.poll(() => kit.mealsAtMeican('ghost1'), { timeout: 10_000 }).toBe(1);
    await kit.settleAll();
    expect(kit.mealsAtMeican('ghost1')).toBe(0);
    expect(await kit.eventOf(id, 'MEICAN_V2_CANCEL')).toMatchObject({ status: 'handled' });
    expect(kit.balanceOf('ghost1')).toBe(100_000);
  });

  it('MEICAN_V2_CANCEL: errored, one alert; the points are back already', async () => {
    const order = await kit.ordered(menu, 'cancel1');
    kit.fault({ call: 'meican.cancelOrder', ...down, times: 3 });
    await kit.cancel(order.id, 'cancel1');
    await kit.pass(2);
    expect(await kit.eventOf(order.id, 'MEICAN_V2_CANCEL')).toMatchObject({
      status: 'errored',
      failures: 3,
      outcome: 'unknown',
    });
    expect(kit.balanceOf('cancel1')).toBe(100_000);
    expect(await alerts()).toMatchObject([
      { kind: 'unknown', event_type: 'MEICAN_V2_CANCEL', occurrences: 1 },
    ]);
  });

  it('ENERGY_CENTER_V2_CANCEL: errored, one alert; a requeue by an operator brings the points back once', async () => {
    const order = await kit.ordered(menu, 'refund1');
    kit.fault({ call: 'energy.unPay', ...down, times: 9 });
    await kit.cancel(order.id, 'refund1');
    await kit.pass(2);
    const event = await kit.eventOf(order.id, 'ENERGY_CENTER_V2_CANCEL');
    expect(event).toMatchObject({ status: 'errored', failures: 3 });
    expect(await alerts()).toMatchObject([{ event_type: 'ENERGY_CENTER_V2_CANCEL', occurrences: 1 }]);
    expect(
      (
        await kit.call('POST', `/v1/events/${event.id}/requeue`, {
          body: { reason: 'energy center is back' },
        })
      ).status,
    ).toBe(200);
    await kit.runDue();
    expect(kit.balanceOf('refund1')).toBe(100_000);
  });

  it('ENERGY_CENTER_ROLLBACK_V2_ERROR: errored, one alert', async () => {
    kit.fault(
      { call: 'energy.pay', kind: 'reset-after', times: 1 },
      { call: 'energy.closePay', ...down, times: 3 },
    );
    await kit.order(menu, 'guard1');
    await kit.pass(3);
    const listed = await kit.call<{ data: { id: string; refund: string }[] }>(
      'GET',
      '/v1/orders?userId=guard1',
    );
    const id = listed.body.data[0]?.id ?? '';
    expect(await kit.eventOf(id, 'ENERGY_CENTER_ROLLBACK_V2_ERROR')).toMatchObject({
      status: 'errored',
      failures: 3,
    });
    expect(listed.body.data[0]?.refund).toBe('PENDING');
    expect(await alerts()).toMatchObject([{ event_type: 'ENERGY_CENTER_ROLLBACK_V2_ERROR', occurrences: 1 }]);
  });

  it('ZHIPAN_SYNC_ERROR: 201 PENDING, then errored, one alert', async () => {
    kit.fault({ call: 'energy.syncConsumption', ...down, times: 3 });
    const body = {
      recordNo: 'Z100',
      userId: 'till1',
      amountInCent: 1200,
      canteen: 'A1',
      consumedAt: '2026-11-23T12:00:00+08:00',
    };
    const answer = await kit.call<{ status: string; events: { id: string }[] }>(
      'POST',
      '/v1/canteen-consumptions',
      { as: 'gate', role: 'service', body },
    );
    expect([answer.status, answer.body.status]).toEqual([201, 'PENDING']);
    await kit.pass(2);
    expect((await kit.call('GET', `/v1/events/${answer.body.events[0]?.id}`)).body).toMatchObject({
      status: 'errored',
      failures: 3,
    });
    expect(await alerts()).toMatchObject([{ event_type: 'ZHIPAN_SYNC_ERROR', occurrences: 1 }]);
  });

  it('COFFEE_CONSUME_CANCEL: 202 PENDING, then errored, one alert', async () => {
    kit.fault({ call: 'energy.unPay', ...down, times: 9 });
    const body = { userId: 'coffee1', amountInCent: 900, outTradeNo: await kit.coffee('coffee1') };
    const answer = await kit.call<{ status: string; events: { id: string }[] }>(
      'POST',
      '/v1/coffee-trades/C77/refund',
      { as: 'gate', role: 'service', body },
    );
    expect([answer.status, answer.body.status]).toEqual([202, 'PENDING']);
    await kit.pass(2);
    expect((await kit.call('GET', `/v1/events/${answer.body.events[0]?.id}`)).body).toMatchObject({
      status: 'errored',
      failures: 3,
    });
    expect(await alerts()).toMatchObject([{ event_type: 'COFFEE_CONSUME_CANCEL', occurrences: 1 }]);
  });

  it('an unknown placement that is in the day list is adopted, not repeated', async () => {
    const placed = await kit.order(menu, 'adopt1');
    kit.fault({ call: 'meican.addOrder', kind: 'malformed-after', variant: 'blank-id', times: 1 });
    await kit.settleAll();
    expect((await kit.read(placed.body.orders[0]?.id ?? '')).status).toBe('ORDERED');
    expect(
      kit.sandbox.requests.filter(
        (request) => request.call === 'meican.addOrder' && request.body.includes('adopt1'),
      ),
    ).toHaveLength(1);
  });

  it.each([
    ['own', 'ORDERED'],
    ['none', 'ORDERED'],
    ['foreign', 'ORDER_ERROR'],
  ])('a multi answer with %s id ends %s: a stranger’s order is never adopted', async (variant, status) => {
    const sub = `multi-${variant}`;
    const placed = await kit.order(menu, sub);
    kit.fault({ call: 'meican.addOrder', kind: 'multi', variant, times: 1 });
    await kit.settleAll();
    expect((await kit.read(placed.body.orders[0]?.id ?? '')).status).toBe(status);
    expect(kit.mealsAtMeican(sub)).toBe(1);
    expect(kit.balanceOf(sub)).toBe(status === 'ORDERED' ? 100_000 - 2300 : 100_000);
  });

  it('the id of another order of ours is never stored twice', async () => {
    const first = await kit.ordered(menu, 'twin1');
    const placed = await kit.order(menu, 'twin2');
    await kit.database.execute(
      sql`UPDATE box_order SET email = 'twin1@example.com' WHERE id = ${placed.body.orders[0]?.id ?? ''}`,
    ); // two people, one mailbox
    await kit.settleAll();
    const second = await kit.read(placed.body.orders[0]?.id ?? '');
    expect(second.status).toBe('ORDER_ERROR');
    expect(second.meicanOrderId).toBeNull();
    expect(await kit.eventOf(second.id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({
      attempt: 1,
      lastError: { code: 'FOREIGN_ORDER' },
    });
    expect((await kit.read(first.id)).status).toBe('ORDERED');
    expect(kit.balanceOf('twin2')).toBe(100_000);
  });

  it('a placement that was cancelled while it waited is never sent', async () => {
    const placed = await kit.order(menu, 'never1');
    const id = placed.body.orders[0]?.id ?? '';
    await kit.database.execute(
      sql`UPDATE box_order SET status = 'SYSTEM_CANCEL', live_key = NULL WHERE id = ${id}`,
    );
    await kit.settleAll();
    expect(kit.mealsAtMeican('never1')).toBe(0);
    expect(await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({ status: 'handled' });
  });
});
