import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('cancelling an order on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `c${++user}`;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  it('ORDERED: 200, points back, gone at Meican, stock back, operator noted', async () => {
    const sub = someone();
    const before = await kit.stockOf(menu);
    const order = await kit.ordered(menu, sub);
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(200);
    expect(answer.body.order).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE', operator: sub });
    expect(answer.body.events.map((event) => [event.type, event.status, event.outcome])).toEqual([
      ['ENERGY_CENTER_V2_CANCEL', 'handled', 'applied'],
      ['MEICAN_V2_CANCEL', 'handled', 'applied'],
    ]);
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect(kit.mealsAtMeican(sub)).toBe(0);
    expect(await kit.stockOf(menu)).toEqual(before);
  });

  it('ORDERING, nothing sent yet: 200, and Meican never hears of it', async () => {
    const sub = someone();
    const placed = await kit.order(menu, sub);
    const answer = await kit.cancel(placed.body.orders[0]?.id ?? '', sub);
    expect(answer.status).toBe(200);
    expect(kit.sandbox.ledger.books.meicanOrders.some((order) => order.email === `${sub}@example.com`)).toBe(
      false,
    );
    expect(kit.balanceOf(sub)).toBe(100_000);
    await kit.runDue();
    expect((await kit.read(answer.body.order.id)).status).toBe('USER_CANCEL');
  });

  it('while the placement is on its way: the cancel waits behind it and removes what it placed', async () => {
    const sub = someone();
    const placed = await kit.order(menu, sub);
    const id = placed.body.orders[0]?.id ?? '';
    kit.fault({ call: 'meican.addOrder', kind: 'latency', ms: 200, times: 1 });
    const placing = kit.runDue();
    await expect.poll(() => kit.mealsAtMeican(sub)).toBe(1);
    const answer = await kit.cancel(id, sub);
    await placing;
    await kit.settleAll();
    expect([200, 202]).toContain(answer.status);
    const order = await kit.read(id);
    expect(order).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
    expect(order.meicanOrderId).not.toBeNull();
    expect(kit.mealsAtMeican(sub)).toBe(0);
    expect(kit.balanceOf(sub)).toBe(100_000);
  });

  it('after a placement whose outcome is unknown: it is looked up, then removed', async () => {
    const sub = someone();
    const placed = await kit.order(menu, sub);
    const id = placed.body.orders[0]?.id ?? '';
    kit.fault({ call: 'meican.addOrder', kind: 'reset-after', times: 1 });
    await kit.runDue();
    expect(kit.mealsAtMeican(sub)).toBe(1);
    await kit.cancel(id, sub);
    await kit.settleAll();
    expect(kit.mealsAtMeican(sub)).toBe(0);
    expect(await kit.read(id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
  });

  it('Meican down: 202, the points go back at once, Meican later', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'meican.cancelOrder', kind: 'status-before', status: 500, times: 1 });
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(202);
    expect(answer.body.order.refund).toBe('DONE');
    expect(answer.body.events.find((event) => event.type === 'MEICAN_V2_CANCEL')).toMatchObject({
      status: 'pending',
      failures: 1,
      outcome: 'unknown',
    });
    await kit.settleAll();
    expect(kit.mealsAtMeican(sub)).toBe(0);
  });

  it('the energy center down: 202, gone at Meican at once, the points later', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'energy.unPay', kind: 'status-before', status: 500, times: 3 });
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(202);
    expect(answer.body.order.refund).toBe('PENDING');
    expect(kit.mealsAtMeican(sub)).toBe(0);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect((await kit.read(order.id)).refund).toBe('DONE');
  });

  it.each([['reset-after'], ['hang-after'], ['status-after'], ['malformed-after'], ['late-effect']] as const)(
    'a refund that ends with %s is asked about, and given once',
    async (fault) => {
      const sub = someone();
      const order = await kit.ordered(menu, sub);
      kit.fault({ call: 'energy.unPay', kind: fault, times: 1, ms: 20 });
      await kit.cancel(order.id, sub);
      await kit.settleAll();
      expect(kit.balanceOf(sub)).toBe(100_000);
      expect(
        kit.sandbox.ledger.books.refunds.filter((refund) => refund.outRefundNo === `R${order.orderNo}`),
      ).toHaveLength(1);
      expect((await kit.read(order.id)).refund).toBe('DONE');
    },
  );

  it('50002 is repeated with the same number within the attempt', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'energy.unPay', kind: 'refused', code: '50002', times: 2 });
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(200);
    expect(answer.body.events[0]).toMatchObject({ attempt: 1, status: 'handled' });
  });

  it('a refund in PROCESSING is not a success before the energy center says so', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'energy.unPay', kind: 'processing', ms: 150, times: 1 });
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(202);
    expect(answer.body.order.refund).toBe('PENDING');
    expect(answer.body.events[0]).toMatchObject({ status: 'pending', failures: 0, outcome: 'unknown' });
    await expect.poll(() => kit.balanceOf(sub)).toBe(100_000);
    await kit.pass();
    expect((await kit.read(order.id)).refund).toBe('DONE');
  });

  it('NOT_FOUND for an id that we placed means cancelled', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'meican.cancelOrder', kind: 'already-cancelled', times: 1 });
    expect((await kit.cancel(order.id, sub)).status).toBe(200);
  });

  it('ORDER_CLOSED afterwards is errored at once and called a loss; the diner keeps the points', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'meican.cancelOrder', kind: 'refused', code: 'ORDER_CLOSED', times: 1 });
    const answer = await kit.cancel(order.id, sub);
    expect(answer.body.order.refund).toBe('DONE');
    expect(await kit.eventOf(order.id, 'MEICAN_V2_CANCEL')).toMatchObject({
      status: 'errored',
      attempt: 1,
      lastError: { code: 'ORDER_CLOSED' },
    });
    const [alert] = await kit.database.query<{ kind: string }>(
      sql`SELECT kind FROM alert WHERE event_type = 'MEICAN_V2_CANCEL'`,
    );
    expect(alert?.kind).toBe('loss');
  });

  it('twenty cancels at once cancel once', async () => {
    const sub = someone();
    const before = await kit.stockOf(menu);
    const order = await kit.ordered(menu, sub);
    const answers = await Promise.all(Array.from({ length: 20 }, () => kit.cancel(order.id, sub)));
    expect(
      answers.every((answer) => [200, 202].includes(answer.status) || answer.body.code === 'order-busy'),
    ).toBe(true);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect(await kit.stockOf(menu)).toEqual(before);
    expect(
      (await kit.events(`&orderId=${order.id}`)).filter((event) => event.type === 'ENERGY_CENTER_V2_CANCEL'),
    ).toHaveLength(1);
    expect((await kit.cancel(order.id, sub)).status).toBe(200);
  });

  it('a second cancel is told the same rule, whoever asks and under whatever key: 202 while the refund is pending, 200 when all is settled', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    kit.fault(
      { call: 'energy.unPay', kind: 'status-before', status: 500 },
      { call: 'energy.queryRefund', kind: 'status-before', status: 500 },
    );
    const first = await kit.cancel(order.id, sub, `${sub}-1`);
    expect(first.status).toBe(202);
    for (const key of [1, 2, 2]) {
      const again = await kit.cancel(order.id, sub, `${sub}-${key}`);
      expect([again.status, again.body.order.refund, again.body.events.length]).toEqual([202, 'PENDING', 2]);
    }
    const byOperator = await kit.call<{ order: { operator: string } }>(
      'POST',
      `/v1/orders/${order.id}/cancel`,
      { body: {} },
    );
    expect([byOperator.status, byOperator.body.order.operator]).toEqual([202, sub]);
    const together = await Promise.all(Array.from({ length: 20 }, () => kit.cancel(order.id, sub)));
    expect(new Set(together.map(({ status }) => status))).toEqual(new Set([202]));
    kit.sandbox.faults.clear();
    await kit.settleAll();
    expect((await kit.cancel(order.id, sub)).status).toBe(200);
    const replayed = await kit.cancel(order.id, sub, `${sub}-2`);
    expect([replayed.status, replayed.headers['idempotent-replayed']]).toEqual([202, 'true']);
  });

  it('while the energy center is paused the diner hears 202 at once, and Meican’s part is done', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    const paused = await kit.call<{ id: string }>('POST', '/v1/pauses', {
      body: { scope: 'target', name: 'energy', minutes: 10, reason: 'maintenance' },
    });
    expect(paused.status).toBeLessThan(300);
    const transactions = vi.spyOn(kit.database, 'transaction');
    const answer = await kit.cancel(order.id, sub);
    expect(answer.status).toBe(202);
    expect(answer.body.events.map(({ type, status }) => [type, status])).toEqual([
      ['ENERGY_CENTER_V2_CANCEL', 'pending'],
      ['MEICAN_V2_CANCEL', 'handled'],
    ]);
    expect(transactions.mock.calls.length).toBeLessThan(8); // it asked 98 times
    transactions.mockRestore();
    await kit.database.execute(sql`DELETE FROM event_pause`);
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
  });

  it('what has ended otherwise cannot be cancelled; the cut-off holds for cancels, too', async () => {
    const sub = someone();
    kit.fault({ call: 'energy.pay', kind: 'refused', code: '40201', times: 1 });
    await kit.order(menu, sub);
    const listed = await kit.call<{ data: { id: string }[] }>('GET', `/v1/orders?userId=${sub}`);
    expect((await kit.cancel(listed.body.data[0]?.id ?? '', sub)).body).toMatchObject({
      code: 'order-not-cancellable',
      currentStatus: 'SYSTEM_CANCEL',
    });

    const late = someone();
    const order = await kit.ordered(menu, late);
    await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at WHERE id = ${order.id}`);
    expect((await kit.cancel(order.id, late)).body.code).toBe('cutoff-passed');
    expect((await kit.read(order.id)).status).toBe('ORDERED');
  });

  it('an order that is being paid is busy', async () => {
    const sub = someone();
    kit.fault({ call: 'energy.pay', kind: 'latency', ms: 500, times: 1 });
    const placing = kit.order(menu, sub);
    await expect
      .poll(() => kit.sandbox.requests.some((request) => request.body.includes(`"${sub}"`)))
      .toBe(true);
    const listed = await kit.call<{ data: { id: string }[] }>('GET', `/v1/orders?userId=${sub}`);
    const answer = await kit.cancel(listed.body.data[0]?.id ?? '', sub);
    expect([answer.status, answer.body.code]).toEqual([409, 'order-busy']);
    expect((await placing).status).toBe(201);
  });

  it('an operator cancels for somebody, and it is audited', async () => {
    const sub = someone();
    const order = await kit.ordered(menu, sub);
    const answer = await kit.call<{ order: { operator: string } }>('POST', `/v1/orders/${order.id}/cancel`, {
      body: { reason: 'kitchen closed' },
    });
    expect(answer.body.order.operator).toBe('op');
    const rows = await kit.database.query<{ actor: string; verb: string; reason: string }>(
      sql`SELECT actor, verb, reason FROM operator_action WHERE target_id = ${order.id} AND target_type = 'order'`,
    );
    expect(rows).toMatchObject([{ actor: 'op', verb: 'cancel', reason: 'kitchen closed' }]);
  });
});
