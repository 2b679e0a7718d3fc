import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EnergyClient } from '../../src/clients/energy.js';
import { place } from '../../src/orders/place.js';
import type { PlaceDependencies } from '../../src/orders/placing.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('placing an order on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;
  const someone = (): string => `u${++user}`;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });

  it('pays, reserves, answers 201 as ORDERING, and the event makes it ORDERED at Meican', async () => {
    const sub = someone();
    const before = await kit.stockOf(menu);
    const answer = await kit.order(menu, sub);
    expect(answer.status).toBe(201);
    const [order] = answer.body.orders;
    expect(order).toMatchObject({
      status: 'ORDERING',
      userId: sub,
      priceInCent: 2300,
      refund: 'NONE',
      meicanOrderId: null,
      addressId: 'A1',
    });
    expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    await kit.runDue();
    const ordered = await kit.read(order?.id ?? '');
    expect(ordered.status).toBe('ORDERED');
    expect(
      kit.sandbox.ledger.books.meicanOrders.find((one) => one.orderId === ordered.meicanOrderId),
    ).toMatchObject({
      email: `${sub}@example.com`,
      mealType: 'LUNCH',
      addressId: 'A1',
      cancelled: false,
    });
    expect(await kit.stockOf(menu)).toEqual({ dish: before.dish - 1, sideboard: before.sideboard - 1 });
    expect(await kit.eventOf(order?.id ?? '', 'ENERGY_CENTER_ROLLBACK_V2_ERROR')).toMatchObject({
      status: 'handled',
    });
  });

  it.each([
    ['40201', 'insufficient-energy', 409],
    ['40301', 'card-not-usable', 409],
    ['40403', 'card-not-usable', 409],
    ['40001', 'dependency-unavailable', 503],
  ])(
    'a payment refused with %s is %s and leaves stock and money as before',
    async (code, problem, status) => {
      const sub = someone();
      const before = await kit.stockOf(menu);
      kit.fault({ call: 'energy.pay', kind: 'refused', code, times: 1 });
      const answer = await kit.order(menu, sub);
      expect([answer.status, answer.body.code]).toEqual([status, problem]);
      expect(await kit.stockOf(menu)).toEqual(before);
      expect(kit.balanceOf(sub)).toBe(100_000);
      const listed = await kit.call<{ data: { status: string; refund: string }[] }>(
        'GET',
        `/v1/orders?userId=${sub}`,
      );
      expect(listed.body.data).toMatchObject([{ status: 'SYSTEM_CANCEL', refund: 'NONE' }]);
    },
  );

  it('a frozen card and an empty one are refused by the energy center', async () => {
    expect((await kit.order(menu, `frozen-${someone()}`)).body.code).toBe('card-not-usable');
    expect((await kit.order(menu, `poor-${someone()}`)).body.code).toBe('insufficient-energy');
  });

  it.each([
    ['the work done and the line dropped', { kind: 'reset-after' }],
    ['the line dropped before', { kind: 'reset-before' }],
    ['no answer, done', { kind: 'hang-after' }],
    ['no answer, not done', { kind: 'hang-before' }],
    ['a gateway error after the work', { kind: 'status-after', status: 502 }],
    ['a system error', { kind: 'refused', code: '50001' }],
    ['half an answer', { kind: 'malformed-after' }],
    ['an effect that comes later', { kind: 'late-effect', ms: 40 }],
  ] as const)(
    'a payment that ends with %s is rolled back: 503, then the guard brings the money home',
    async (_what, fault) => {
      const sub = someone();
      const before = await kit.stockOf(menu);
      kit.fault({ call: 'energy.pay', times: 1, ...fault });
      const answer = await kit.order(menu, sub);
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
        503,
        'payment-unknown',
        '5',
      ]);
      expect(await kit.stockOf(menu)).toEqual(before);
      await kit.settleAll();
      expect(kit.balanceOf(sub)).toBe(100_000);
      const trade = kit.sandbox.ledger.books.trades.at(-1);
      expect(trade?.status === 'CLOSED' || trade?.refundedAmount === trade?.amount).toBe(true);
      const again = await kit.order(menu, sub);
      expect(again.status).toBe(201);
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    },
  );

  it('an energy center that cannot be reached is 503 dependency-unavailable, and nothing is kept', async () => {
    const sub = someone();
    const before = await kit.stockOf(menu);
    await kit.sandbox.outage(300);
    const answer = await kit.order(menu, sub);
    expect([answer.status, answer.body.code]).toEqual([503, 'dependency-unavailable']);
    expect(await kit.stockOf(menu)).toEqual(before);
    await expect
      .poll(async () => (await fetch(`${kit.sandbox.url}/__sandbox/ledger`).catch(() => null))?.status, {
        timeout: 5000,
      })
      .toBe(200);
  });

  it('a payment in PROCESSING becomes an order when the energy center settles it in time', async () => {
    const sub = someone();
    kit.fault({ call: 'energy.pay', kind: 'processing', ms: 100, times: 1 });
    expect((await kit.order(menu, sub)).status).toBe(201);
    expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
  });

  it('one that stays in PROCESSING is rolled back and cannot land later', async () => {
    const sub = someone();
    kit.fault({ call: 'energy.pay', kind: 'processing', ms: 60_000, times: 1 });
    expect((await kit.order(menu, sub)).body.code).toBe('payment-unknown');
    await kit.settleAll();
    expect(kit.sandbox.ledger.books.trades.at(-1)?.status).toBe('CLOSED');
    expect(kit.balanceOf(sub)).toBe(100_000);
  });

  it('several meals succeed together', async () => {
    const sub = someone();
    const dinner = await kit.menu({ mealType: 'DINNER', stock: 50, capacity: 50 });
    const body = {
      ...kit.orderBody(menu),
      meals: [...kit.orderBody(menu).meals, ...kit.orderBody(dinner).meals],
    };
    const answer = await kit.call<{ orders: { status: string }[] }>('POST', '/v1/orders', { as: sub, body });
    expect(answer.status).toBe(201);
    expect(answer.body.orders).toHaveLength(2);
    await kit.runDue();
    expect(kit.mealsAtMeican(sub)).toBe(2);
  });

  it('several meals fail together: what was paid goes back through its guard', async () => {
    const sub = someone();
    const dinner = await kit.menu({ mealType: 'DINNER', stock: 50, capacity: 50 });
    const before = [await kit.stockOf(menu), await kit.stockOf(dinner)];
    const body = {
      ...kit.orderBody(menu),
      meals: [...kit.orderBody(menu).meals, ...kit.orderBody(dinner).meals],
    };
    kit.fault({ call: 'energy.pay', kind: 'refused', code: '40201', skip: 1, times: 1 });
    const answer = await kit.call('POST', '/v1/orders', { as: sub, body });
    expect(answer.body.code).toBe('insufficient-energy');
    await kit.settleAll();
    expect([await kit.stockOf(menu), await kit.stockOf(dinner)]).toEqual(before);
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect(kit.mealsAtMeican(sub)).toBe(0);
  });

  it('the last box is sold once to fifty people', async () => {
    const rare = await kit.menu({ mealType: 'BREAKFAST', stock: 1, capacity: 10 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => kit.order(rare, someone())));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(
      new Set(answers.filter((answer) => answer.status !== 201).map((answer) => answer.body.code)),
    ).toEqual(new Set(['dish-sold-out']));
    expect(await kit.stockOf(rare)).toEqual({ dish: 0, sideboard: 9 });
  });

  it('a full cabinet is sideboard-full and gives the dish back', async () => {
    const tight = await kit.menu({ mealType: 'BREAKFAST', stock: 10, capacity: 1 });
    const sold = 1 - (await kit.stockOf(tight)).sideboard;
    if (sold === 0) expect((await kit.order(tight, someone())).status).toBe(201);
    const before = await kit.stockOf(tight);
    expect((await kit.order(tight, someone())).body.code).toBe('sideboard-full');
    expect(await kit.stockOf(tight)).toEqual(before);
  });

  it('one live order for each person, day and meal', async () => {
    const sub = someone();
    const answers = await Promise.all(Array.from({ length: 10 }, () => kit.order(menu, sub)));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(
      answers.every(
        (answer) =>
          answer.status === 201 || ['already-ordered', 'order-busy'].includes(String(answer.body.code)),
      ),
    ).toBe(true);
    expect((await kit.order(menu, sub)).body.code).toBe('already-ordered');
    expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
  });

  it('the guard of an order that nobody confirmed ends it and closes the payment', async () => {
    // What a process leaves behind that dies right after T1: an order PAYING with its guard, and the vendor's call perhaps on its way.
    const sub = someone();
    const before = await kit.stockOf(menu);
    kit.fault({ call: 'energy.pay', kind: 'latency', ms: 500, times: 1 });
    const placing = kit.order(menu, sub);
    await expect
      .poll(() => kit.sandbox.requests.some((request) => request.body.includes(`"${sub}"`)))
      .toBe(true);
    await kit.pass(1, ['ENERGY_CENTER_ROLLBACK_V2_ERROR']);
    expect((await placing).body.code).toBe('payment-unknown'); // the guard was first; T2 finds the order ended
    await kit.settleAll();
    expect(kit.balanceOf(sub)).toBe(100_000);
    expect(await kit.stockOf(menu)).toEqual(before);
    expect(kit.mealsAtMeican(sub)).toBe(0);
  });

  it.each([
    ['pays, too', { kind: 'applied', value: null, duplicate: true }],
    ['is refused', { kind: 'rejected', code: '40001', message: 'busy' }],
    ['hears nothing', { kind: 'unknown', code: 'TIMEOUT', message: 'no answer' }],
  ] as const)(
    'a request that takes over from one that is only slow, and then %s: both answer 201 with the one order, and so does the next',
    async (_name, second) => {
      const sub = someone();
      const { database, numbers, clients } = kit.runtime;
      const steps = { firstPays: gate(), firstMayGo: gate(), secondPays: gate(), secondMayGo: gate() };
      const through = (pay: EnergyClient['pay']): PlaceDependencies => ({
        database,
        numbers,
        energy: { pay, queryPay: clients.energy.queryPay.bind(clients.energy) } as unknown as EnergyClient,
        locks: { withLock: (_keys, work) => work({ held: false, waitedMs: 0 }) },
        clock: systemClock,
        paymentWindowMs: 60_000,
        payTimeoutMs: 100,
      });
      const attempted = {
        caller: sub,
        role: 'user' as const,
        operation: 'place',
        key: 'k',
        body: 'b',
        instance: '/',
        requestId: 'r',
        lockMs: 1,
      };
      const { garden, meals } = kit.orderBody(menu);
      const request = {
        attempted,
        userId: sub,
        email: `${sub}@example.com`,
        realName: sub,
        garden,
        meals,
        traceparent: null,
      };
      const slow = place(
        through(async (...wanted) => {
          steps.firstPays.open();
          await steps.firstMayGo.passed;
          return clients.energy.pay(...wanted);
        }),
        request,
      );
      await steps.firstPays.passed;
      await new Promise((resolve) => setTimeout(resolve, 10)); // the first one's time is over: 1 ms
      const next = place(
        through(async () => {
          steps.secondPays.open();
          await steps.secondMayGo.passed;
          return second;
        }),
        request,
      );
      await steps.secondPays.passed;
      steps.firstMayGo.open();
      const answer = await slow;
      steps.secondMayGo.open();
      const ids = [
        answer,
        await next,
        await place(through(clients.energy.pay.bind(clients.energy)), request),
      ].map(({ status, body }) => [status, (body as { orders: { id: string }[] }).orders[0]?.id]);
      expect(new Set(ids.map(String)).size).toBe(1);
      expect(ids[0]?.[0]).toBe(201);
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    },
  );
});

function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), passed };
}
