import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('an outage of a vendor on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  /** A lunchbox whose Meican cannot be reached, and the same one once it can. */
  const unreachable = { MEICAN_BASE_URL: 'http://127.0.0.1:1/meican' };

  beforeAll(async () => {
    kit = await Kit.create(kind, unreachable);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });

  it('uses up no order: its events wait, the energy center goes on, and one alert rings', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push((await kit.order(menu, `out${i}`)).body.orders[0]?.id ?? '');
    for (let i = 0; i < 5; i++) await kit.pass(1, ['MEICAN_NEW_V2_ORDER']);
    const events = await kit.events('&type=MEICAN_NEW_V2_ORDER');
    expect(events).toHaveLength(12);
    expect(events.every((event) => event.status === 'pending' && event.failures === 0)).toBe(true);
    expect(kit.runtime.outbox.breakerOf('meican').view.state).not.toBe('closed');
    expect(kit.runtime.outbox.breakerOf('energy').view.state).toBe('closed');
    expect(
      await kit.database.query(sql`SELECT occurrences FROM alert WHERE kind = 'vendor-down'`),
    ).toMatchObject([{ occurrences: 1 }]);
    for (const id of ids) expect((await kit.read(id)).status).toBe('ORDERING');
  });

  it('past the cut-off the path changes at once: points back, the diner told, although the vendor is still down', async () => {
    await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at`);
    await kit.database.execute(
      sql`UPDATE outbox_event SET deadline_at = created_at WHERE type = 'MEICAN_NEW_V2_ORDER'`,
    );
    await kit.pass(2);
    const listed = await kit.call<{ data: { status: string; refund: string; userId: string }[] }>(
      'GET',
      '/v1/orders?limit=100',
    );
    expect(listed.body.data).toHaveLength(12);
    expect(listed.body.data.every((order) => order.status === 'ORDER_ERROR' && order.refund === 'DONE')).toBe(
      true,
    );
    expect(kit.sandbox.ledger.books.appMessages).toHaveLength(12);
    expect(await kit.stockOf(menu)).toEqual({ dish: 50, sideboard: 50 });
  });
});
