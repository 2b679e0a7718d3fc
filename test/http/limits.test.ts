import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/** Numbers and instants beyond what a column, a vendor or a person can mean: 4xx by the contract, never 5xx. */
describe.each(databaseKinds)('limits of what comes in, on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  beforeAll(async () => {
    kit = await Kit.create(kind);
    menu = await kit.menu();
  });
  afterAll(() => kit.close());
  const gate = { as: 'gate', role: 'service' as const };
  const instants = [
    '1999-12-31T23:59:59Z',
    '2100-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '+010000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    'x',
  ];
  const amounts = [0, -1, 1.5, 100_000_001, 2 ** 53, 1e308, '1', null];
  const huge = ['9223372036854775808', '9999999999999999999', '99999999999999999999', '-1', '1e3', '0x1'];

  it('a consumption: amounts whole and more than nothing, instants between 2000 and 2100', async () => {
    const body = {
      recordNo: 'L1',
      userId: 'l',
      amountInCent: 1,
      canteen: 'A1',
      consumedAt: '2026-11-23T12:00:00Z',
    };
    const send = async (more: object) =>
      (await kit.call('POST', '/v1/canteen-consumptions', { ...gate, body: { ...body, ...more } })).status;
    for (const consumedAt of instants) expect(await send({ consumedAt }), consumedAt).toBe(400);
    for (const amountInCent of amounts) expect(await send({ amountInCent }), String(amountInCent)).toBe(400);
    for (const [i, consumedAt] of ['2000-01-01T00:00:00Z', '2099-12-31T23:59:59Z'].entries())
      expect(await send({ consumedAt, recordNo: `L-${i}` })).toBe(201);
  });

  it('a coffee: the same of its amount', async () => {
    for (const amountInCent of amounts) {
      const body = { userId: 'l', amountInCent, outTradeNo: 'T-l' };
      expect(
        (await kit.call('POST', '/v1/coffee-trades/L1/refund', { ...gate, body })).status,
        String(amountInCent),
      ).toBe(400);
    }
  });

  it('a menu: cut-off, day, prices, totals', async () => {
    const dish = { meicanDishId: '9', name: 'x', priceInCent: 1, stock: 1 };
    const sideboard = { location: 'x', addressId: 'x', capacity: 1 };
    const body = { corp: 'corp1', cutoffAt: menu.cutoffAt, dishes: [dish], sideboards: [sideboard] };
    const put = async (more: object, date = '2030-01-01') =>
      (await kit.call('PUT', `/v1/menus/limits/${date}/LUNCH`, { body: { ...body, ...more } })).status;
    for (const cutoffAt of instants) expect(await put({ cutoffAt }), cutoffAt).toBe(400);
    for (const priceInCent of amounts)
      expect(await put({ dishes: [{ ...dish, priceInCent }] }), String(priceInCent)).toBe(400);
    for (const stock of [-1, 1.5, 1_000_001, 2 ** 53])
      expect(await put({ dishes: [{ ...dish, stock }] }), String(stock)).toBe(400);
    for (const capacity of [-1, 1.5, 1_000_001, 2 ** 53])
      expect(await put({ sideboards: [{ ...sideboard, capacity }] }), String(capacity)).toBe(400);
    for (const date of [
      '1999-12-31',
      '2101-01-01',
      '9999-12-31',
      '10000-01-01',
      '+010000-01-01',
      '2026-02-30',
      '0000-00-00',
    ])
      expect(await put({}, date), date).toBe(400);
    for (const corp of ['.', '..']) expect(await put({ corp })).toBe(400);
    expect(await put({})).toBe(200);
  });

  it('an order: ids beyond 2^63 are 400, others that name nothing 404; any day without a menu 404; one box', async () => {
    const { garden, meals } = kit.orderBody(menu);
    const order = async (more: object) =>
      (await kit.call('POST', '/v1/orders', { as: 'l', body: { garden, meals: [{ ...meals[0], ...more }] } }))
        .status;
    for (const no of huge)
      expect([await order({ dishId: no }), await order({ sideboardId: no })], no).toEqual([400, 400]);
    expect([
      await order({ dishId: '9223372036854775807' }),
      await order({ sideboardId: '9223372036854775807' }),
    ]).toEqual([404, 404]);
    for (const count of [0, 2, -1, 2 ** 53, 1.5, '1'])
      expect(await order({ count }), String(count)).toBe(400);
    expect((await kit.call('GET', '/v1/menus/g1/9999-12-31/LUNCH')).status).toBe(404);
  });

  it('the id of a path that names nothing is 404, whatever it looks like', async () => {
    for (const no of [
      ...huge,
      'abc',
      '%00',
      '..%2F..',
      'x'.repeat(300),
      '%E9%A4%90',
      '9223372036854775807',
      '0',
    ]) {
      expect((await kit.call('GET', `/v1/orders/${no}`)).body.code, no).toBe('not-found');
      expect((await kit.call('POST', `/v1/orders/${no}/cancel`, { body: {} })).body.code, no).toBe(
        'not-found',
      );
      expect((await kit.call('GET', `/v1/orders/${no}/timeline`)).body.code, no).toBe('not-found');
    }
  });
});
