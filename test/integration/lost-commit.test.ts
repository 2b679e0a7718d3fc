import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { housekeeping } from '../../src/handlers/housekeeping.js';
import { record } from '../../src/outbox/record.js';
import { DatabaseProxy } from '../support/database-proxy.js';
import { emptyDatabase } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/** What a caller is told when the database is lost: "nothing was kept" is said only when that is known. */
describe('the database is lost around a commit', () => {
  let kit: Kit;
  let proxy: DatabaseProxy;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  beforeAll(async () => {
    proxy = await DatabaseProxy.before(await emptyDatabase('mariadb'));
    kit = await Kit.create('mariadb', { DATABASE_URL: proxy.url });
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterEach(() => proxy.back());
  afterAll(async () => {
    await kit.close();
    await proxy.close();
  });
  const gate = { as: 'gate', role: 'service' as const };

  it('before anything: 503 dependency-unavailable, and nothing was kept', async () => {
    const order = await kit.ordered(menu, 'none');
    proxy.away();
    const answer = await kit.cancel(order.id, 'none');
    expect([answer.status, answer.body.code]).toEqual([503, 'dependency-unavailable']);
    proxy.back();
    expect((await kit.read(order.id)).status).toBe('ORDERED');
  });

  it('a cancel whose commit was answered, and then no database: 202 with the order cancelled and what is pending', async () => {
    const order = await kit.ordered(menu, 'after');
    proxy.onCommit(1, 'given', 'away');
    const answer = await kit.cancel(order.id, 'after', 'k-after');
    expect(answer.status).toBe(202);
    expect(answer.body.order).toMatchObject({ id: order.id, status: 'USER_CANCEL', refund: 'PENDING' });
    expect(answer.body.events.map(({ type, status }) => [type, status])).toEqual([
      ['ENERGY_CENTER_V2_CANCEL', 'pending'],
      ['MEICAN_V2_CANCEL', 'pending'],
    ]);
    proxy.back();
    await kit.settleAll();
    expect(await kit.read(order.id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
    expect((await kit.cancel(order.id, 'after')).status).toBe(200);
  });

  it('a cancel whose commit was kept and never answered is found cancelled', async () => {
    const order = await kit.ordered(menu, 'kept');
    proxy.onCommit(1, 'lost', 'there');
    const answer = await kit.cancel(order.id, 'kept');
    expect(answer.status).toBe(202);
    expect(answer.body.order.status).toBe('USER_CANCEL');
    await kit.settleAll();
    expect(kit.balanceOf('kept')).toBe(100_000);
  });

  it('a cancel whose commit nobody answered, and then no database: 503 outcome-unknown; the same key tells', async () => {
    const order = await kit.ordered(menu, 'dark');
    proxy.onCommit(1, 'lost', 'away');
    const answer = await kit.cancel(order.id, 'dark', 'k-dark');
    expect([answer.status, answer.body.code]).toEqual([503, 'outcome-unknown']);
    proxy.back();
    await kit.database.execute(
      sql`UPDATE idempotency_record SET locked_until = created_at WHERE state = 'running'`,
    ); // its time is over
    const again = await kit.cancel(order.id, 'dark', 'k-dark');
    expect([200, 202]).toContain(again.status);
    expect(again.body.order.status).toBe('USER_CANCEL');
    await kit.settleAll();
    expect(kit.balanceOf('dark')).toBe(100_000);
  });

  it('a discard that was kept, and then no database: 503 outcome-unknown, never "nothing was kept"', async () => {
    const event = await kit.database.transaction((tx) => record(tx, housekeeping, { slot: 'lost-commit' }));
    proxy.onCommit(1, 'given', 'away');
    const answer = await kit.call('POST', `/v1/events/${event.id}/discard`, {
      body: { reason: 'not needed' },
    });
    expect([answer.status, answer.body.code]).toEqual([503, 'outcome-unknown']);
    proxy.back();
    expect((await kit.call('GET', `/v1/events/${event.id}`)).body.status).toBe('discarded');
  });

  it.each([
    ['T1', 2],
    ['T2', 3],
  ] as const)(
    'an order whose %s nobody answered: 503 payment-unknown, and at rest the books agree',
    async (name, nth) => {
      const sub = `place-${name}`;
      proxy.onCommit(nth, 'lost', 'away'); // the first is the order number's
      const answer = await kit.order(menu, sub, sub);
      expect([answer.status, answer.body.code]).toEqual([503, 'payment-unknown']);
      proxy.back();
      await kit.database.execute(
        sql`UPDATE idempotency_record SET locked_until = created_at WHERE state = 'running'`,
      );
      const again = await kit.order(menu, sub, sub);
      expect(again.status).toBe(201);
      await kit.settleAll();
      const rows = await kit.database.query<{ status: string }>(
        sql`SELECT status FROM box_order WHERE user_id = ${sub}`,
      );
      expect(rows).toMatchObject([{ status: 'ORDERED' }]);
      expect(kit.balanceOf(sub)).toBe(100_000 - 2300);
    },
  );

  it('a consumption and a coffee that are kept say so: 201 and 202, PENDING', async () => {
    const outTradeNo = await kit.coffee('till');
    const body = {
      recordNo: 'Z-lost',
      userId: 'till',
      amountInCent: 900,
      canteen: 'A1',
      consumedAt: '2026-11-23T12:00:00Z',
    };
    proxy.onCommit(1, 'given', 'away');
    const consumption = await kit.call('POST', '/v1/canteen-consumptions', { ...gate, body });
    expect(consumption).toMatchObject({
      status: 201,
      body: { recordNo: 'Z-lost', status: 'PENDING', events: [{ status: 'pending' }] },
    });
    proxy.back();
    proxy.onCommit(1, 'given', 'away');
    const coffee = await kit.call('POST', '/v1/coffee-trades/C-lost/refund', {
      ...gate,
      body: { userId: 'till', amountInCent: 900, outTradeNo },
    });
    expect(coffee).toMatchObject({
      status: 202,
      body: { tradeNo: 'C-lost', status: 'PENDING', events: [{ status: 'pending' }] },
    });
    proxy.back();
    await kit.settleAll();
    expect((await kit.call('POST', '/v1/canteen-consumptions', { ...gate, body })).body).toMatchObject({
      status: 'SYNCED',
    });
  });

  it('a menu whose commit nobody answered: outcome-unknown', async () => {
    const { corp, cutoffAt } = menu;
    const body = {
      corp,
      cutoffAt,
      dishes: [{ meicanDishId: '9', name: 'x', priceInCent: 1, stock: 1 }],
      sideboards: [{ location: 'x', addressId: 'x', capacity: 1 }],
    };
    proxy.onCommit(1, 'lost', 'there');
    expect((await kit.call('PUT', '/v1/menus/g2/2030-01-01/LUNCH', { body })).body.code).toBe(
      'outcome-unknown',
    );
  });
});
