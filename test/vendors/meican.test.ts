import { describe, expect, it } from 'vitest';
import { Bench, bodyOf, idsOf, resultOf } from './bench.js';
import { meicanSignature } from './sign.js';

const rules = (bench: Bench) => bench.meican.complaints.map(({ rule }) => rule);
const orderId = (answer: Parameters<typeof resultOf>[0]) => String(resultOf(answer).orderId);

describe('Meican', () => {
  it("signs as the contract's test vector says", () => {
    expect(meicanSignature('sandbox-corp-token', '1700000000000')).toBe(
      '759ad951a386a1eea5a163875a8128d5df9a8280',
    );
  });

  it('carries out nothing that is signed wrongly, and complains', () => {
    const bench = new Bench();
    const request = {
      method: 'POST',
      path: `/v1/corps/acme/deleteorder?timestamp=${bench.clock.now()}&signature=0`,
      headers: {},
      body: 'orderId=1',
    };
    expect(bench.meican.handle(request)).toMatchObject({ status: 401 });
    expect(rules(bench)).toEqual(['signature']);
  });

  it('cooks one live meal for a person, day and meal type, and tells the id that stands there', () => {
    const bench = new Bench();
    const id = orderId(bench.add('a@x.cn'));
    expect(bodyOf(bench.add('a@x.cn'))).toMatchObject({ resultCode: 'MULTI_ORDER', data: { orderId: id } });
    expect(rules(bench)).toEqual(['repeat-of-known-meal']);
    expect(bodyOf(bench.add('a@x.cn', undefined, 'DINNER')).resultCode).toBe('OK');
    expect(bodyOf(bench.add('b@x.cn')).resultCode).toBe('OK');
    expect(idsOf(bench.list())).toHaveLength(3);
  });

  it('may answer a multi order without an id, under a code of its own', () => {
    const bench = new Bench({ meican: { multiOrderCode: 'ALREADY', multiTellsId: false } });
    bench.add('a@x.cn');
    expect(bodyOf(bench.add('a@x.cn'))).toEqual({ resultCode: 'ALREADY', resultDescription: 'ALREADY' });
  });

  it('cancels, answers NOT_FOUND verbatim afterwards, and never gives an id twice', () => {
    const bench = new Bench();
    const id = orderId(bench.add('a@x.cn'));
    expect(bodyOf(bench.remove(id)).resultCode).toBe('OK');
    expect(bodyOf(bench.remove(id))).toEqual({
      data: { orderId: id },
      resultCode: 'NOT_FOUND',
      resultDescription: 'apiErrors.corpOrderUserNotFound',
    });
    expect(orderId(bench.add('a@x.cn'))).not.toBe(id);
    expect(rules(bench)).toEqual([]);
  });

  it('closes at the cut-off, for orders and cancels', () => {
    const bench = new Bench({ meican: { cutoffAt: () => Date.parse('2026-11-23T03:00:00Z') } });
    const id = orderId(bench.add('a@x.cn'));
    bench.clock.move(3_600_000);
    expect(bodyOf(bench.add('b@x.cn')).resultCode).toBe('ORDER_CLOSED');
    expect(bodyOf(bench.remove(id)).resultCode).toBe('ORDER_CLOSED');
    expect(idsOf(bench.list())).toEqual([id]);
  });

  it('refuses a dish that is off, a price that changed, a stranger', () => {
    const dishes = new Map([
      [1, { name: '宫保鸡丁', restaurant: '川味坊', priceInCent: 2300, available: true }],
    ]);
    const bench = new Bench({ meican: { dishes, members: new Set(['a@x.cn']) } });
    expect(bodyOf(bench.add('a@x.cn', undefined, 'LUNCH', 2)).resultCode).toBe('DISH_NOT_AVAILABLE');
    dishes.set(1, { name: '宫保鸡丁', restaurant: '川味坊', priceInCent: 2500, available: true });
    expect(bodyOf(bench.add('a@x.cn')).resultCode).toBe('PRICE_CHANGED');
    expect(bodyOf(bench.add('b@x.cn'))).toMatchObject({
      resultCode: 'NOT_FOUND',
      resultDescription: 'apiErrors.corpMemberNotFound',
    });
  });

  it('shows the day as it was, where its list lags', () => {
    const bench = new Bench({ meican: { listLagMs: 4_000 } });
    const id = orderId(bench.add('a@x.cn'));
    expect(idsOf(bench.list())).toEqual([]);
    bench.clock.move(4_000);
    expect(idsOf(bench.list())).toEqual([id]);
    bench.remove(id);
    expect(idsOf(bench.list())).toEqual([id]);
    bench.clock.move(4_000);
    expect(idsOf(bench.list())).toEqual([]);
  });

  it.each([true, false])('the fields that the contract leaves open: %s', (optionalFields) => {
    const bench = new Bench({ meican: { optionalFields } });
    bench.add('a@x.cn');
    const [group] = resultOf(bench.list()).orderList as {
      meal: string;
      dinerCount: number;
      mealList: Record<string, unknown>[];
    }[];
    expect(group).toMatchObject({
      meal: '美餐网 午餐',
      time: '2026-11-24 12:00:00',
      type: 'ONLINE',
      dinerCount: 1,
      dishCount: 1,
    });
    const meal = group?.mealList[0] ?? {};
    expect([
      'mealType' in meal,
      'addressId' in meal,
      'dishId' in ((meal.orderContent as object[])[0] ?? {}),
    ]).toEqual([optionalFields, optionalFields, optionalFields]);
  });

  it('complains of an add repeated without a look into the day list after the settle window', () => {
    const bench = new Bench({ meican: { settleMs: 15_000 } });
    const lost = { call: 'meican.add', kind: 'hang-before' } as const;
    expect(bench.add('a@x.cn', lost)).toEqual({ kind: 'no-answer', sent: true, code: 'ETIMEDOUT' });
    bench.clock.move(5_000);
    bench.list();
    bench.add('a@x.cn', lost);
    expect(rules(bench)).toEqual(['blind-repeat']);
    bench.clock.move(15_000);
    bench.list({ call: 'meican.list', kind: 'malformed-after', form: 'truncated' });
    bench.add('a@x.cn', lost);
    expect(rules(bench)).toEqual(['blind-repeat', 'blind-repeat']);
    bench.clock.move(15_000);
    bench.list();
    expect(bodyOf(bench.add('a@x.cn')).resultCode).toBe('OK');
    expect(rules(bench)).toHaveLength(2);
  });

  it('a late effect does not stand beside the meal that came before it', () => {
    const bench = new Bench();
    bench.add('a@x.cn', { call: 'meican.add', kind: 'late-effect', ms: 9_000 });
    expect(idsOf(bench.list())).toEqual([]);
    bench.add('a@x.cn');
    bench.clock.move(9_000);
    expect(idsOf(bench.list())).toHaveLength(1);
    expect(rules(bench)).toEqual([]);
  });

  it.each([
    ['own', 'us', true],
    ['none', 'us', false],
    ['foreign', 'elsewhere', true],
    ['foreign-dish', 'elsewhere', true],
  ] as const)('a multi answer with the id %s', (id, by, told) => {
    const bench = new Bench();
    const body = bodyOf(bench.add('a@x.cn', { call: 'meican.add', kind: 'multi', id }));
    const [meal] = bench.meican.books.meals.values();
    expect(meal).toMatchObject({ by, cancelledAt: null });
    expect(body).toMatchObject({
      resultCode: 'MULTI_ORDER',
      ...(told ? { data: { orderId: meal?.orderId } } : {}),
    });
    expect('data' in body).toBe(told);
    bench.remove(meal?.orderId ?? '');
    expect(rules(bench)).toEqual(id === 'foreign-dish' ? ['foreign-meal'] : []);
  });

  it('an answer whose effect is lost leaves no trace; its id is no stranger afterwards', () => {
    const bench = new Bench();
    const id = orderId(bench.add('a@x.cn', { call: 'meican.add', kind: 'lost-effect' }));
    expect(idsOf(bench.list())).toEqual([]);
    expect(bodyOf(bench.remove(id)).resultCode).toBe('NOT_FOUND');
    expect(rules(bench)).toEqual([]);
    bench.remove('made-up');
    expect(rules(bench)).toEqual(['unknown-id']);
  });

  it('complains of blank fields and of a stranger’s meal cancelled', () => {
    const bench = new Bench();
    bench.add(' ');
    bench.remove('');
    const foreign = bench.meican.placeElsewhere(
      { corp: 'acme', email: 'f@x.cn', mealDate: '2026-11-24', mealType: 'LUNCH' },
      1,
    );
    idsOf(bench.list());
    bench.remove(foreign?.orderId ?? '');
    expect(rules(bench)).toEqual(['bad-field', 'bad-field', 'foreign-meal']);
  });
});
