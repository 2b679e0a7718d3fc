import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/** An answer, so that the breaker stays closed, and of no use. */
const noList = { call: 'meican.listOrders', kind: 'malformed-after', variant: 'html' } as const;

describe.each(databaseKinds)('questions without a usable answer on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });

  const groups = () =>
    kit.database.query<{ status: string; occurrences: number; event_type: string }>(
      sql`SELECT status, occurrences, event_type FROM alert WHERE kind = 'cannot-learn'`,
    );
  const vainOf = async (id: string) =>
    (
      await kit.database.query<{ vain_questions: number }>(
        sql`SELECT vain_questions FROM outbox_event WHERE id = ${id}`,
      )
    )[0];

  it('a placement in doubt asks on, counts no failure, tells a person once, and is adopted when the list answers', async () => {
    kit.fault({ call: 'meican.addOrder', kind: 'malformed-after', variant: 'empty', times: 1 }, noList);
    const placed = await kit.order(menu, `vain-${kind}`);
    const id = placed.body.orders[0]?.id ?? '';
    await kit.runDue();
    await kit.pass(9, ['MEICAN_NEW_V2_ORDER']);
    const event = await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER');
    expect(event).toMatchObject({ status: 'pending', failures: 0, outcome: 'unknown' });
    expect((await vainOf(event.id))?.vain_questions).toBe(10);
    expect(await groups()).toMatchObject([
      { status: 'open', occurrences: 1, event_type: 'MEICAN_NEW_V2_ORDER' },
    ]);
    expect((await kit.read(id)).status).toBe('ORDERING');

    kit.sandbox.faults.clear();
    await kit.pass(1, ['MEICAN_NEW_V2_ORDER']);
    expect((await kit.read(id)).status).toBe('ORDERED');
    expect(kit.mealsAtMeican(`vain-${kind}`)).toBe(1);
    await kit.pass(3, ['WECOM_ALERT']);
    expect(
      kit
        .robotTexts()
        .filter((text) => text.includes('无法得知是否成功') && text.includes(event.orderNo ?? '-')),
    ).toHaveLength(1);
    expect(kit.robotTexts().at(-1)).toContain('已恢复');
    expect(await groups()).toMatchObject([{ status: 'recovered' }]);
  });

  it('past the cut-off it is given up with its outcome unknown: points back, and a ghost sweep', async () => {
    kit.fault({ call: 'meican.addOrder', kind: 'malformed-after', variant: 'empty', times: 1 }, noList);
    const sub = `late-${kind}`;
    const id = (await kit.order(menu, sub)).body.orders[0]?.id ?? '';
    await kit.runDue();
    await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at WHERE id = ${id}`);
    await kit.database.execute(
      sql`UPDATE outbox_event SET deadline_at = created_at WHERE type = 'MEICAN_NEW_V2_ORDER'`,
    );
    await kit.pass(1, ['MEICAN_NEW_V2_ORDER']);
    expect(await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({
      status: 'errored',
      outcome: 'unknown',
    });
    await kit.runDue();
    expect(await kit.read(id)).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
    expect(await kit.eventOf(id, 'MEICAN_V2_CANCEL')).toMatchObject({ status: 'pending', failures: 0 });
    kit.sandbox.faults.clear();
    await kit.pass(2, ['MEICAN_V2_CANCEL']);
    expect(kit.mealsAtMeican(sub)).toBe(0);
  });

  it('a refund in doubt asks on for its number, however often the query fails', async () => {
    const sub = `refund-${kind}`;
    const order = await kit.ordered(menu, sub);
    kit.fault(
      { call: 'energy.unPay', kind: 'reset-after', times: 1 },
      { call: 'energy.queryRefund', kind: 'malformed-after', variant: 'empty' },
    );
    await kit.cancel(order.id, sub);
    await kit.pass(5, ['ENERGY_CENTER_V2_CANCEL']);
    expect(await kit.eventOf(order.id, 'ENERGY_CENTER_V2_CANCEL')).toMatchObject({
      status: 'pending',
      failures: 0,
      outcome: 'unknown',
    });
    kit.sandbox.faults.clear();
    await kit.pass(1, ['ENERGY_CENTER_V2_CANCEL']);
    expect((await kit.read(order.id)).refund).toBe('DONE');
    expect(kit.balanceOf(sub)).toBe(100_000);
  });
});
