import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { now, sql } from '../../src/database/sql.js';
import { disagreements } from '../support/books.js';
import { databaseKinds } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';

describe.each(databaseKinds)('a discard on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 100, capacity: 100 });
  });
  afterAll(() => kit.close());
  beforeEach(() => kit.sandbox.faults.clear());

  const discard = (id: string) =>
    kit.call<{ detail?: string } & Record<string, unknown>>('POST', `/v1/events/${id}/discard`, {
      body: { reason: 'enough' },
    });
  const refused = (why: RegExp) => ({
    status: 409,
    body: { code: 'event-not-discardable', detail: expect.stringMatching(why) },
  });
  const audited = (id: string) =>
    kit.database.query(
      sql`SELECT actor, reason FROM operator_action WHERE target_id = ${id} AND verb = 'discard'`,
    );
  const agree = async () => expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  const placed = async (sub: string) => {
    const order = (await kit.order(menu, sub)).body.orders[0];
    if (!order) throw new Error('not placed');
    return order;
  };

  /** What a process leaves behind that is killed between the payment and T2: the order PAYING, its guard, nothing else. */
  async function killedWhilePaying(sub: string) {
    const order = await placed(sub);
    await kit.database.execute(
      sql`DELETE FROM outbox_event WHERE subject_id = ${order.id} AND type = 'MEICAN_NEW_V2_ORDER'`,
    );
    await kit.database.execute(sql`
      UPDATE outbox_event SET status = 'pending', settled_at = NULL, queue_at = run_at WHERE subject_id = ${order.id} AND type = 'ENERGY_CENTER_ROLLBACK_V2_ERROR'`);
    await kit.database.execute(sql`UPDATE box_order SET status = 'PAYING' WHERE id = ${order.id}`);
    return order;
  }

  describe('of a placement ends the order as a give-up does', () => {
    it('pending: stock and points back, the diner told, nothing at Meican', async () => {
      const before = await kit.stockOf(menu);
      const order = await placed('p1');
      const event = await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER');
      expect(await discard(event.id)).toMatchObject({ status: 200, body: { status: 'discarded' } });
      expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'PENDING' });
      expect(await kit.stockOf(menu)).toEqual(before);
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
      expect(kit.sandbox.ledger.books.appMessages.filter((message) => message.to === 'p1')).toHaveLength(1);
      expect(kit.mealsAtMeican('p1')).toBe(0);
      expect(await audited(event.id)).toMatchObject([{ actor: 'op', reason: 'enough' }]);
      await agree();
    });

    it('pending in doubt: what Meican did all the same is found and cancelled', async () => {
      kit.fault(
        { call: 'meican.addOrder', kind: 'reset-after', times: 1 },
        { call: 'meican.listOrders', kind: 'status-before', status: 500 },
      );
      const order = await placed('p2');
      await kit.runDue();
      kit.sandbox.faults.clear();
      expect(kit.mealsAtMeican('p2')).toBe(1);
      expect(await discard((await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER')).id)).toMatchObject({
        status: 200,
      });
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
      expect(kit.mealsAtMeican('p2')).toBe(0);
      await agree();
    });

    it('errored: it had ended the order before, and nothing happens twice', async () => {
      kit.fault({ call: 'meican.addOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE', times: 1 });
      const order = await placed('p3');
      await kit.settleAll();
      expect(await discard((await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER')).id)).toMatchObject({
        status: 200,
      });
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
      expect(
        (await kit.events(`&orderId=${order.id}`)).filter(({ type }) => type === 'ENERGY_CENTER_V2_CANCEL'),
      ).toHaveLength(1);
      await agree();
    });

    it('whose payload nobody can read: the order is found by its event', async () => {
      const order = await placed('p4');
      const event = await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER');
      await kit.database.execute(sql`UPDATE outbox_event SET payload = '{' WHERE id = ${event.id}`);
      expect(await discard(event.id)).toMatchObject({ status: 200 });
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
      await agree();
    });

    it('of an order that the diner has cancelled meanwhile changes nothing more', async () => {
      kit.fault({ call: 'meican.addOrder', kind: 'status-before', status: 500, times: 1 });
      const order = await placed('p5');
      await kit.runDue();
      kit.fault({ call: 'meican.listOrders', kind: 'status-before', status: 500 });
      await kit.cancel(order.id, 'p5');
      kit.sandbox.faults.clear();
      const event = await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER');
      if (event.status === 'pending') expect(await discard(event.id)).toMatchObject({ status: 200 });
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
      await agree();
    });
  });

  describe('of a refund is refused while the diner’s points are owed', () => {
    it('pending: it goes on, and the points come back', async () => {
      const order = await kit.ordered(menu, 'r1');
      kit.fault({ call: 'energy.unPay', kind: 'reset-before' });
      await kit.cancel(order.id, 'r1');
      const event = await kit.eventOf(order.id, 'ENERGY_CENTER_V2_CANCEL');
      expect(event.status).toBe('pending');
      expect(await discard(event.id)).toMatchObject(refused(/points.*owed/));
      expect(await audited(event.id)).toEqual([]);
      kit.sandbox.faults.clear();
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ refund: 'DONE' });
      await agree();
    });

    it('errored: a requeue, or a statement with proof, ends it; once nothing is owed it may go', async () => {
      const { orderId, id } = await kit.parkedRefund(menu, 'r2');
      expect(await discard(id)).toMatchObject(refused(/points.*owed/));
      // By another event, or by a person's proof, the refund is done.
      await kit.database.execute(sql`UPDATE box_order SET refund = 'DONE' WHERE id = ${orderId}`);
      expect(await discard(id)).toMatchObject({ status: 200 });
      await agree();
    });
  });

  describe('of the guard of a payment', () => {
    const guardOf = (orderId: string) => kit.eventOf(orderId, 'ENERGY_CENTER_ROLLBACK_V2_ERROR');

    it('is refused while the order is being paid', async () => {
      kit.fault({ call: 'energy.pay', kind: 'latency', ms: 400, times: 1 });
      const answer = kit.order(menu, 'g1');
      const paying = () =>
        kit.database.query<{ id: unknown }>(
          sql`SELECT id FROM box_order WHERE user_id = 'g1' AND status = 'PAYING'`,
        );
      await expect.poll(paying, { interval: 5 }).toHaveLength(1);
      const [row] = await paying();
      expect(await discard((await guardOf(String(row?.id))).id)).toMatchObject(refused(/being paid/));
      expect((await answer).status).toBe(201);
      await kit.settleAll();
      await agree();
    });

    it('is refused when the process that paid was killed: the guard is all that will end the order', async () => {
      const order = await killedWhilePaying('g2');
      expect(await discard((await guardOf(order.id)).id)).toMatchObject(refused(/being paid/));
      await kit.settleAll();
      expect(await kit.read(order.id)).toMatchObject({ status: 'SYSTEM_CANCEL', refund: 'DONE' });
      await agree();
    });

    it('is refused for an ended order whose refund is open', async () => {
      kit.fault(
        { call: 'energy.pay', kind: 'reset-after', times: 1 },
        { call: 'energy.closePay', kind: 'status-before', status: 500 },
      );
      expect((await kit.order(menu, 'g3')).status).toBe(503);
      await kit.runDue();
      const [row] = await kit.database.query<{ id: unknown }>(
        sql`SELECT id FROM box_order WHERE user_id = 'g3'`,
      );
      expect(await discard((await guardOf(String(row?.id))).id)).toMatchObject(refused(/points.*owed/));
      kit.sandbox.faults.clear();
      await kit.settleAll();
      expect((await kit.read(String(row?.id))).refund).toBe('DONE');
      await agree();
    });

    it('is allowed once the payment was confirmed', async () => {
      const order = await kit.ordered(menu, 'g4');
      const guard = await guardOf(order.id);
      await kit.database.execute(
        sql`UPDATE outbox_event SET status = 'pending', settled_at = NULL, queue_at = run_at WHERE id = ${guard.id}`,
      );
      expect(await discard(guard.id)).toMatchObject({ status: 200 });
      expect((await kit.read(order.id)).status).toBe('ORDERED');
      await agree();
    });
  });

  describe('of the cancel of a meal', () => {
    const books = async () =>
      (
        await kit.call<{ guilty: unknown[]; sums: { difference: number }[] }>(
          'GET',
          `/v1/books?day=${tomorrow}&againstVendors=true`,
        )
      ).body;

    it('is refused while Meican may still take the meal back', async () => {
      const order = await kit.ordered(menu, 'm1');
      kit.fault({ call: 'meican.cancelOrder', kind: 'status-before', status: 500 });
      await kit.cancel(order.id, 'm1');
      const event = await kit.eventOf(order.id, 'MEICAN_V2_CANCEL');
      expect(event.status).toBe('pending');
      expect(await discard(event.id)).toMatchObject(refused(/Meican may still/));
      await kit.database.execute(
        sql`UPDATE outbox_event SET status = 'errored', outcome = 'not-applied', queue_at = NULL, settled_at = ${now} WHERE id = ${event.id}`,
      );
      expect(await discard(event.id)).toMatchObject(refused(/Meican may still/));
      kit.sandbox.faults.clear();
      await kit.call('POST', `/v1/events/${event.id}/requeue`, { body: { reason: 'they are back' } });
      await kit.settleAll();
      expect(kit.mealsAtMeican('m1')).toBe(0);
      await agree();
    });

    it('that Meican refused for good accepts the loss, which the books keep', async () => {
      const order = await kit.ordered(menu, 'm2');
      kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'ORDER_CLOSED', times: 1 });
      await kit.cancel(order.id, 'm2');
      expect((await books()).sums.filter(({ difference }) => difference !== 0)).toHaveLength(1);
      expect(await discard((await kit.eventOf(order.id, 'MEICAN_V2_CANCEL')).id)).toMatchObject({
        status: 200,
      });
      const told = await kit.call<{ timeline: { kind: string; what: string }[] }>(
        'GET',
        `/v1/orders/${order.id}/timeline`,
      );
      expect(told.body.timeline.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['meal-loss-accepted', 'discard']),
      );
      expect(await books()).toMatchObject({ agree: true, guilty: [], vendors: { guilty: [] } });
      await kit.database.execute(
        sql`UPDATE box_order SET meican_cancelled_at = ${now}, meican_order_id = NULL WHERE id = ${order.id}`,
      ); // for the others' sake
      kit.sandbox.ledger.put('meicanOrders', {
        ...(kit.sandbox.ledger.books.meicanOrders.find(
          ({ email }) => email === 'm2@example.com',
        ) as never as object),
        cancelled: true,
      } as never);
    });
  });

  describe('of what the canteen’s other systems handed in', () => {
    const coffee = (tradeNo: string, outTradeNo: string, userId = 'c1') =>
      kit.call<{ status: string; events: { id: string; status: string }[] }>(
        'POST',
        `/v1/coffee-trades/${tradeNo}/refund`,
        {
          as: 'svc',
          role: 'service',
          body: { userId, amountInCent: 900, outTradeNo },
        },
      );
    const consumption = (recordNo: string) =>
      kit.call<{ status: string; events: { id: string; status: string }[] }>(
        'POST',
        '/v1/canteen-consumptions',
        {
          as: 'svc',
          role: 'service',
          body: {
            recordNo,
            userId: 'c1',
            amountInCent: 100,
            canteen: 'A',
            consumedAt: '2026-11-21T12:00:00+08:00',
          },
        },
      );

    it('a coffee refund is refused while points are owed, and ends its row when there never was such a trade', async () => {
      kit.fault({ call: 'energy.unPay', kind: 'refused', code: '40301', times: 1 });
      const owed = await coffee('C1', 'PC1');
      expect(owed.body.events[0]?.status).toBe('errored');
      expect(await discard(owed.body.events[0]?.id ?? '')).toMatchObject(refused(/points are still owed/));
      const never = await coffee('C2', 'PC2');
      await kit.settleAll(); // the energy center knows of no such trade, however often it is asked
      expect(await discard(never.body.events[0]?.id ?? '')).toMatchObject({ status: 200 });
      expect(await coffee('C2', 'PC2')).toMatchObject({ status: 200, body: { status: 'REFUSED' } });
      await kit.database.execute(sql`UPDATE coffee_trade SET status = 'REFUNDED' WHERE trade_no = 'C1'`);
    });

    it('a coffee refund that may have been made is not discarded for a "no such trade" that came after it', async () => {
      const outTradeNo = await kit.coffee('doubt');
      const lag = { call: 'energy.queryRefund', kind: 'read-lag', ms: 3_600_000 } as const;
      kit.fault({ call: 'energy.unPay', kind: 'reset-after' }, lag);
      const { id } = (await coffee('C3', outTradeNo, 'doubt')).body.events[0] ?? { id: '' };
      kit.sandbox.faults.clear();
      kit.fault({ call: 'energy.unPay', kind: 'refused', code: '40401' }, lag);
      await kit.pass(4);
      const [event] = await kit.database.query(
        sql`SELECT status, outcome, last_error_code FROM outbox_event WHERE id = ${id}`,
      );
      expect(event).toEqual({ status: 'errored', outcome: 'unknown', last_error_code: 'NO_SUCH_TRADE' });
      expect(await discard(id)).toMatchObject(refused(/not known/));
      kit.sandbox.faults.clear();
      expect(
        (await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'it answers again' } })).status,
      ).toBe(200);
      await kit.settleAll();
      expect(await coffee('C3', outTradeNo, 'doubt')).toMatchObject({
        status: 200,
        body: { status: 'REFUNDED' },
      });
    });

    it('a consumption’s sync is refused unless the energy center refused it for good; then its row has come to an end, too', async () => {
      kit.fault({ call: 'energy.syncConsumption', kind: 'status-before', status: 500, times: 1 });
      const open = await consumption('Z1');
      expect(await discard(open.body.events[0]?.id ?? '')).toMatchObject(refused(/let it go on/));
      await kit.settleAll();
      kit.fault({ call: 'energy.syncConsumption', kind: 'refused', code: '40901', times: 1 });
      const never = await consumption('Z2');
      expect(await discard(never.body.events[0]?.id ?? '')).toMatchObject({ status: 200 });
      expect(await consumption('Z2')).toMatchObject({ status: 200, body: { status: 'REFUSED' } });
    });
  });

  it('of the run of a bulk act stops it', async () => {
    const { id } = await kit.parkedRefund(menu, 'b0');
    const { body } = await kit.call<{ id: string; token: string }>('POST', '/v1/event-batches', {
      body: { verb: 'requeue', type: 'ENERGY_CENTER_V2_CANCEL', reason: 'x' },
    });
    await kit.call('POST', `/v1/event-batches/${body.id}/execute`, { body: { token: body.token } });
    const [run] = await kit.events('&type=EVENT_BATCH');
    expect(await discard(run?.id ?? '')).toMatchObject({ status: 200 });
    expect((await kit.call('GET', `/v1/event-batches/${body.id}`)).body).toMatchObject({
      status: 'stopped',
      why: 'its event was discarded',
    });
    await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'go on' } });
    await kit.settleAll();
  });

  it('in a bulk act is refused for the same reason, which its item keeps', async () => {
    const { id } = await kit.parkedRefund(menu, 'b1');
    const { body } = await kit.call<{ id: string; token: string }>('POST', '/v1/event-batches', {
      body: { verb: 'discard', type: 'ENERGY_CENTER_V2_CANCEL', reason: 'enough' },
    });
    await kit.call('POST', `/v1/event-batches/${body.id}/execute`, { body: { token: body.token } });
    await kit.pass(3, ['EVENT_BATCH']);
    expect((await kit.call('GET', `/v1/event-batches/${body.id}`)).body).toMatchObject({
      status: 'done',
      skipped: 1,
      items: [{ eventId: id, result: 'skipped', why: expect.stringMatching(/points are still owed/) }],
    });
    await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'go on' } });
    await kit.settleAll();
    await agree();
  });

  it('of a running event is refused', async () => {
    const order = await placed('x1');
    const event = await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER');
    await kit.database.execute(sql`UPDATE outbox_event SET lease_until = ${now} WHERE id = ${event.id}`);
    expect(await discard(event.id)).toMatchObject({ status: 409, body: { currentStatus: 'running' } });
    await kit.settleAll();
    await agree();
  });
});
