import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { now, sql } from '../../src/database/sql.js';
import { disagreements } from '../support/books.js';
import { databaseKinds } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';

interface Remedy {
  kind: string;
  verb: string;
  eventType: string | null;
  orderNo: string | null;
  careful: boolean;
}
interface Plan {
  remedies: Remedy[];
}
interface Applied {
  results: (Remedy & { result: string; recordedEventId: string | null; why: string })[];
}

describe.each(databaseKinds)('the repair of the books on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterAll(() => kit.close());

  const plan = async () => (await kit.call<Plan>('GET', `/v1/books/repairs?day=${tomorrow}`)).body.remedies;
  const apply = async (...orderNos: string[]) =>
    (
      await kit.call<Applied>('POST', '/v1/books/repairs', {
        body: { day: tomorrow, reason: 'looked at', orderNos },
      })
    ).body.results;
  const audited = (orderId: string) =>
    kit.database.query(
      sql`SELECT verb, actor, reason FROM operator_action WHERE subject_id = ${orderId} AND verb = 'repair'`,
    );
  /** Nothing is left to mend, and the vendors' own books say so, too. */
  const agree = async () => {
    expect(await plan()).toEqual([]);
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  };

  it('a meal that Meican never had is placed again before the cut-off', async () => {
    kit.fault({ call: 'meican.addOrder', kind: 'lost-effect', times: 1 });
    const order = await kit.ordered(menu, 'r1');
    expect(await plan()).toMatchObject([
      {
        kind: 'meal-missing',
        verb: 'record',
        eventType: 'MEICAN_NEW_V2_ORDER',
        orderNo: order.orderNo,
        careful: false,
      },
    ]);
    expect((await kit.read(order.id)).status).toBe('ORDERED'); // a dry run changes nothing
    expect(await apply()).toMatchObject([{ result: 'done' }]);
    await kit.settleAll();
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDERED' });
    expect(kit.mealsAtMeican('r1')).toBe(1);
    expect(await audited(order.id)).toMatchObject([{ verb: 'repair', actor: 'op', reason: 'looked at' }]);
    await agree();
  });

  it('after the cut-off the order ends: points back, stock back, the diner told', async () => {
    kit.fault({ call: 'meican.addOrder', kind: 'lost-effect', times: 1 });
    const order = await kit.ordered(menu, 'r2');
    await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at WHERE id = ${order.id}`);
    expect(await apply()).toMatchObject([{ result: 'done' }]);
    await kit.settleAll();
    expect(await kit.read(order.id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
    expect(kit.sandbox.ledger.books.appMessages.filter((message) => message.to === 'r2')).toHaveLength(1);
    await agree();
  });

  it('a meal that Meican still cooks for an ended order is cancelled there', async () => {
    const order = await kit.ordered(menu, 'r3');
    kit.fault({ call: 'meican.cancelOrder', kind: 'lost-effect', times: 1 });
    await kit.cancel(order.id, 'r3');
    expect(await plan()).toMatchObject([{ kind: 'meal-of-ended-order', eventType: 'MEICAN_V2_CANCEL' }]);
    // Twice at once: one event.
    const both = await Promise.all([apply(), apply()]);
    expect(
      both
        .flat()
        .map(({ result }) => result)
        .sort(),
    ).toEqual(['done', 'skipped']);
    await kit.settleAll();
    expect(kit.mealsAtMeican('r3')).toBe(0);
    await agree();
  });

  it('a meal that nobody knows of is cancelled only when the order is named', async () => {
    const order = await kit.ordered(menu, 'r4');
    const [meal] = kit.sandbox.ledger.books.meicanOrders.filter((one) => one.email === 'r4@example.com');
    if (!meal) throw new Error('no meal');
    kit.sandbox.ledger.put('meicanOrders', { ...meal, orderId: 'double-of-r4' });
    expect(await plan()).toMatchObject([
      { kind: 'meal-unknown-to-us', careful: true, orderNo: order.orderNo },
    ]);
    expect(await apply()).toMatchObject([{ result: 'skipped' }]);
    expect(kit.mealsAtMeican('r4')).toBe(2);
    expect(await apply(order.orderNo)).toMatchObject([{ result: 'done' }]);
    await kit.settleAll();
    expect(kit.mealsAtMeican('r4')).toBe(1);
    expect((await kit.read(order.id)).status).toBe('ORDERED');
    await agree();
  });

  it('points that the energy center kept go back under the same number', async () => {
    const order = await kit.ordered(menu, 'r5');
    kit.fault({ call: 'energy.unPay', kind: 'lost-effect', times: 1 });
    await kit.cancel(order.id, 'r5');
    expect(await kit.read(order.id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
    expect(await plan()).toMatchObject([{ kind: 'money-kept', eventType: 'ENERGY_CENTER_V2_CANCEL' }]);
    expect(await apply()).toMatchObject([{ result: 'done' }]);
    await kit.settleAll();
    expect(await kit.read(order.id)).toMatchObject({ refund: 'DONE' });
    await agree();
  });

  it('stock is counted anew, once', async () => {
    await kit.database.execute(sql`UPDATE box_dish SET remaining = remaining - 2 WHERE id = ${menu.dish.id}`);
    expect(await plan()).toMatchObject([{ kind: 'stock-differs', verb: 'recount' }]);
    const both = await Promise.all([apply(), apply()]);
    expect(both.flat().filter(({ result }) => result === 'done')).toHaveLength(1);
    await agree();
  });

  it('an errored event is carried out again', async () => {
    const order = await kit.ordered(menu, 'r6');
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE', times: 1 });
    await kit.cancel(order.id, 'r6');
    const wrong = (await plan()).map((remedy) => remedy.kind).sort();
    expect(wrong).toEqual(['event-errored', 'meal-of-ended-order']);
    await apply();
    await kit.settleAll();
    expect(kit.mealsAtMeican('r6')).toBe(0);
    await agree();
  });

  it('an unpaid meal is left to a person', async () => {
    kit.fault({ call: 'energy.pay', kind: 'lost-effect', times: 1 });
    const order = await kit.ordered(menu, 'r7');
    expect(await plan()).toMatchObject([{ kind: 'money-missing', verb: 'decide' }]);
    expect(await apply(order.orderNo)).toMatchObject([{ result: 'skipped', why: 'a person must decide' }]);
    await kit.cancel(order.id, 'r7');
    await agree();
  });

  it('is an operator’s alone', async () => {
    expect(
      (await kit.call('GET', `/v1/books/repairs?day=${tomorrow}`, { as: 'v', role: 'viewer' })).status,
    ).toBe(200);
    expect(
      (
        await kit.call('POST', '/v1/books/repairs', {
          as: 'v',
          role: 'viewer',
          body: { day: tomorrow, reason: 'x' },
        })
      ).status,
    ).toBe(403);
    expect((await kit.call('POST', '/v1/books/repairs', { body: { day: tomorrow } })).status).toBe(400);
  });
});

describe.each(databaseKinds)('an outcome that stays unknown on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterAll(() => kit.close());

  const settle = (id: string, as: string, more: object = {}) =>
    kit.call('POST', `/v1/events/${id}/settle`, { body: { as, reason: 'I phoned them' }, ...more });
  const ask = async (id: string) =>
    (
      await kit.call<{ outcome: string; text: string; exchanges: unknown[] }>(
        'POST',
        `/v1/events/${id}/ask`,
        { body: {} },
      )
    ).body;

  async function parked(sub: string, done: boolean) {
    const { orderId, id } = await kit.parkedRefund(menu, sub, done);
    return {
      order: await kit.read(orderId),
      event: await kit.eventOf(orderId, 'ENERGY_CENTER_V2_CANCEL'),
      id,
    };
  }

  it('is parked and alerted; the vendor can be asked, and the answer is kept', async () => {
    const { order, event } = await parked('k1', true);
    expect(
      await kit.database.query(sql`SELECT kind FROM alert WHERE event_type = 'ENERGY_CENTER_V2_CANCEL'`),
    ).toMatchObject([{ kind: 'unknown' }]);
    expect(await ask(event.id)).toMatchObject({
      outcome: 'applied',
      text: expect.stringContaining('SUCCESS'),
    });
    const [kept] = await kit.database.query<{ state_after: string; actor: string }>(
      sql`SELECT actor, state_after FROM operator_action WHERE target_id = ${event.id} AND verb = 'ask'`,
    );
    expect(kept?.actor).toBe('op');
    expect(JSON.parse(kept?.state_after ?? '{}')).toMatchObject({
      finding: { outcome: 'applied' },
      exchanges: [{ call: 'energy.queryPay' }, { call: 'energy.queryRefund' }],
    });
    expect((await kit.eventOf(order.id, event.type)).status).toBe('errored'); // asking changes nothing
    expect(await settle(event.id, 'done')).toMatchObject({
      status: 200,
      body: { status: 'handled', outcome: 'applied' },
    });
    expect(await kit.read(order.id)).toMatchObject({ refund: 'DONE' });
    expect(await settle(event.id, 'done')).toMatchObject({
      status: 409,
      body: { code: 'event-not-settleable', currentStatus: 'handled' },
    });
    expect(
      await kit.database.query(
        sql`SELECT verb FROM operator_action WHERE target_id = ${event.id} AND verb = 'settle-done'`,
      ),
    ).toHaveLength(1);
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('settled as not done, it is carried out again without asking first', async () => {
    const { order, event } = await parked('k2', false);
    expect(await ask(event.id)).toMatchObject({
      outcome: 'unknown',
      text: expect.stringContaining('proves nothing'),
    });
    expect(await settle(event.id, 'not-done')).toMatchObject({ status: 200, body: { status: 'pending' } });
    await kit.settleAll();
    expect((await kit.eventOf(order.id, event.type)).status).toBe('handled');
    const story = await kit.call<{ attempts: { exchanges: { call: string }[] }[] }>(
      'GET',
      `/v1/events/${event.id}`,
    );
    expect(story.body.attempts.at(-1)?.exchanges.map((exchange) => exchange.call)).toEqual(['energy.unPay']);
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('two people settle it once', async () => {
    const { event } = await parked('k3', true);
    const answers = await Promise.all([settle(event.id, 'done'), settle(event.id, 'not-done')]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    await kit.settleAll();
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('only an unknown outcome can be settled as not done; only an operator may', async () => {
    const order = await kit.ordered(menu, 'k4');
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'ORDER_CLOSED', times: 1 });
    await kit.cancel(order.id, 'k4');
    const event = await kit.eventOf(order.id, 'MEICAN_V2_CANCEL');
    expect(await settle(event.id, 'not-done')).toMatchObject({
      status: 409,
      body: { code: 'event-not-settleable' },
    });
    expect((await settle(event.id, 'done', { as: 'v', role: 'viewer' })).status).toBe(403);
    expect(
      (await kit.call('POST', `/v1/events/${event.id}/ask`, { as: 'v', role: 'viewer', body: {} })).status,
    ).toBe(403);
    expect(await ask(event.id)).toMatchObject({
      outcome: 'not-applied',
      text: expect.stringContaining('has'),
    });
    expect((await kit.call('POST', '/v1/events/999999/ask', { body: {} })).status).toBe(404);
    await kit.database.execute(sql`UPDATE outbox_event SET settled_at = ${now} WHERE id = ${event.id}`);
  });

  it('an event whose payload nobody can read any more can still be settled, and says that it cannot be asked about', async () => {
    const { event } = await parked('k6', true);
    await kit.database.execute(sql`UPDATE outbox_event SET payload = '{' WHERE id = ${event.id}`);
    expect((await kit.call('POST', `/v1/events/${event.id}/ask`, { body: {} })).body).toMatchObject({
      code: 'event-not-askable',
    });
    expect(await settle(event.id, 'done')).toMatchObject({ status: 200, body: { status: 'handled' } });
    await kit.database.execute(sql`UPDATE box_order SET refund = 'DONE' WHERE id = ${event.orderId}`);
  });

  it('a placement, a sync, a coffee refund and a guard can be asked or say that they cannot', async () => {
    const order = await kit.ordered(menu, 'k5');
    expect(await ask((await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER')).id)).toMatchObject({
      outcome: 'applied',
    });
    expect(await ask((await kit.eventOf(order.id, 'ENERGY_CENTER_ROLLBACK_V2_ERROR')).id)).toMatchObject({
      outcome: 'unknown',
      text: expect.stringContaining('SUCCESS'),
    });
    const synced = await kit.call<{ events: { id: string }[] }>('POST', '/v1/canteen-consumptions', {
      as: 'svc',
      role: 'service',
      body: {
        recordNo: 'Z9',
        userId: 'k5',
        amountInCent: 100,
        canteen: 'A',
        consumedAt: '2026-11-21T12:00:00+08:00',
      },
    });
    expect(
      (await kit.call('POST', `/v1/events/${synced.body.events[0]?.id}/ask`, { body: {} })).body,
    ).toMatchObject({ code: 'event-not-askable' });
    kit.fault({ call: 'meican.listOrders', kind: 'status-before', status: 500 });
    expect(await ask((await kit.eventOf(order.id, 'MEICAN_NEW_V2_ORDER')).id)).toMatchObject({
      outcome: 'unknown',
    });
    kit.sandbox.faults.clear();
  });
});
