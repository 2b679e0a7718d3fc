import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnergyClient } from '../../src/clients/energy.js';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('the refund of a coffee on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterAll(() => kit.close());
  beforeEach(() => kit.sandbox.faults.clear());

  const refund = (tradeNo: string, body: { userId: string; outTradeNo: string; amountInCent?: number }) =>
    kit.call<{ status: string; code: string; errors: { path: string }[]; events: { id: string }[] }>(
      'POST',
      `/v1/coffee-trades/${tradeNo}/refund`,
      {
        as: 'gate',
        role: 'service',
        body: { amountInCent: 900, ...body },
      },
    );
  const refundsOf = (userId: string) =>
    kit.sandbox.ledger.books.refunds
      .filter((one) => one.userId === userId)
      .map(({ outRefundNo, status }) => [outRefundNo, status]);

  it('has a number of its own: a trade with the number of an order takes nothing from that order', async () => {
    const order = await kit.ordered(menu, 'same');
    const answer = await refund(order.orderNo, { userId: 'same', outTradeNo: await kit.coffee('same') });
    expect([answer.status, answer.body.status]).toEqual([200, 'REFUNDED']);
    expect((await kit.cancel(order.id, 'same')).body.order).toMatchObject({ refund: 'DONE' });
    expect(refundsOf('same')).toEqual([
      [`RC${order.orderNo}`, 'SUCCESS'],
      [`R${order.orderNo}`, 'SUCCESS'],
    ]);
    expect(kit.balanceOf('same')).toBe(100_000);
  });

  it('without a reason says one: a blank may be refused', async () => {
    await refund('blank', { userId: 'blank', outTradeNo: await kit.coffee('blank') });
    expect(kit.sandbox.requests.find(({ body }) => body.includes('"RCblank"'))?.body).toContain(
      '"reason":"COFFEE_REFUND"',
    );
  });

  it('is refused for the payment of an order, of ours or of another installation, existing or to come', async () => {
    const order = await kit.ordered(menu, 'free');
    await kit.database.execute(
      sql`UPDATE box_order SET order_no = 'OLD-1' WHERE id = ${(await kit.ordered(menu, 'old')).id}`,
    );
    for (const outTradeNo of [
      `P${order.orderNo}`,
      `p${order.orderNo}`,
      'P209901010000001',
      'P1234209901010000001',
      'POLD-1',
    ]) {
      const answer = await refund('free-meal', { userId: 'free', outTradeNo, amountInCent: 2300 });
      expect([answer.status, answer.body.code, answer.body.errors?.[0]?.path], outTradeNo).toEqual([
        400,
        'validation',
        'body.outTradeNo',
      ]);
    }
    expect(await kit.database.query(sql`SELECT id FROM coffee_trade WHERE trade_no = 'free-meal'`)).toEqual(
      [],
    );
    expect(kit.balanceOf('free')).toBe(100_000 - 2300);
  });

  it('looks again in its own transaction: an order that gets the number meanwhile keeps its points', async () => {
    const order = await kit.ordered(menu, 'race');
    const { transaction } = kit.database;
    vi.spyOn(kit.database, 'transaction').mockImplementationOnce(async (work) => {
      await kit.database.execute(sql`UPDATE box_order SET order_no = 'RACE-1' WHERE id = ${order.id}`);
      return transaction.call(kit.database, work) as never;
    });
    expect((await refund('race', { userId: 'race', outTradeNo: 'PRACE-1' })).body.code).toBe('validation');
    expect(await kit.database.query(sql`SELECT id FROM coffee_trade WHERE trade_no = 'race'`)).toEqual([]);
  });

  it('recorded by an older version keeps the number that it may have been made under', async () => {
    const outTradeNo = await kit.coffee('first');
    kit.fault({ call: 'energy.unPay', kind: 'rate-limit' });
    const { id } = (await refund('V1', { userId: 'first', outTradeNo })).body.events[0] ?? {};
    const payload = JSON.stringify({
      tradeNo: 'V1',
      outTradeNo,
      userId: 'first',
      amountInCent: 900,
      reason: '',
    });
    await kit.database.execute(
      sql`UPDATE outbox_event SET payload = ${payload}, payload_version = 1 WHERE id = ${id ?? ''}`,
    );
    kit.sandbox.faults.clear();
    await kit.pass();
    expect(refundsOf('first')).toEqual([['RV1', 'SUCCESS']]);
  });

  it('never shares its number with a trade from before', async () => {
    await refund('C9', { userId: 'c9', outTradeNo: await kit.coffee('c9') });
    await kit.database.execute(sql`UPDATE coffee_trade SET out_refund_no = 'RC9' WHERE trade_no = 'C9'`); // as an older version numbered it
    expect(await refund('9', { userId: 'c9', outTradeNo: 'T-c9' })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  it.each(['.', '..', '...'])('a number that is %s is refused, wherever it stands', async (dots) => {
    expect(
      (await refund(dots.replaceAll('.', '%2E'), { userId: 'd', outTradeNo: 'T1' })).status,
    ).not.toBeLessThan(400);
    expect((await refund('D1', { userId: 'd', outTradeNo: dots })).body.code).toBe('validation');
    const consumption = {
      recordNo: dots,
      userId: 'd',
      amountInCent: 1,
      canteen: 'A1',
      consumedAt: '2026-11-23T12:00:00Z',
    };
    expect(
      (await kit.call('POST', '/v1/canteen-consumptions', { as: 'gate', role: 'service', body: consumption }))
        .status,
    ).toBe(400);
  });
});

it('a number that would change a URL’s path never leaves the client', async () => {
  const sent: string[] = [];
  const energy = new EnergyClient(
    { baseUrl: 'http://energy', appId: 'a', appSecret: 's', timeoutMs: 100 },
    {
      pathOf: (path) => path,
      close: () => {},
      send: async ({ path }) => {
        sent.push(path);
        return { kind: 'no-answer', sent: false, code: 'X' };
      },
    },
  );
  const context = { requestId: 'r', traceparent: '' };
  for (const dots of ['.', '..']) {
    expect(await energy.queryPay(dots, context)).toMatchObject({ kind: 'rejected', code: 'UNSAFE_PATH' });
    expect(await energy.closePay(dots, context)).toMatchObject({ kind: 'rejected', code: 'UNSAFE_PATH' });
    expect(await energy.findCardAccountInfo(dots, context)).toMatchObject({
      kind: 'rejected',
      code: 'UNSAFE_PATH',
    });
  }
  await energy.queryPay('a/../b', context);
  expect(sent).toEqual(['/v1/pay/a%2F..%2Fb']);
});
