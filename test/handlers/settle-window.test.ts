import { afterAll, beforeAll, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { Kit } from '../support/kit.js';

let kit: Kit;
beforeAll(async () => {
  kit = await Kit.create('sqlite', { MEICAN_SETTLE_MS: '60000' });
});
afterAll(() => kit.close());

const calls = (sub: string): number =>
  kit.sandbox.requests.filter((request) => request.call === 'meican.addOrder' && request.body.includes(sub))
    .length;
/** As if the doubt were older than the settle window. */
const windowPasses = (id: string) =>
  kit.database.execute(
    sql`UPDATE outbox_event SET unknown_at = '2026-01-01 00:00:00.000' WHERE subject_id = ${id} AND unknown_at IS NOT NULL`,
  );

it('absence from the day list is believed only after the settle window; until then nothing is repeated and nothing counted', async () => {
  const menu = await kit.menu();
  const placed = await kit.order(menu, 'lag1');
  const id = placed.body.orders[0]?.id ?? '';
  kit.fault({ call: 'meican.addOrder', kind: 'hang-before', times: 1 });
  await kit.runDue();
  await kit.pass(3);
  expect(await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({
    status: 'pending',
    failures: 1,
    outcome: 'unknown',
    attempt: 4,
  });
  expect(calls('lag1')).toBe(1);
  await windowPasses(id);
  await kit.pass();
  expect(calls('lag1')).toBe(2);
  expect((await kit.read(id)).status).toBe('ORDERED');
});

it('an effect that comes late, and a list that lags, are waited for: one meal, adopted', async () => {
  const menu = await kit.menu();
  const placed = await kit.order(menu, 'lag2');
  const id = placed.body.orders[0]?.id ?? '';
  kit.fault(
    { call: 'meican.addOrder', kind: 'late-effect', ms: 100, times: 1 },
    { call: 'meican.listOrders', kind: 'read-lag', ms: 60_000, times: 3 },
  );
  await kit.runDue();
  await expect.poll(() => kit.mealsAtMeican('lag2')).toBe(1);
  await kit.pass(2);
  expect((await kit.read(id)).status).toBe('ORDERING');
  await kit.pass();
  expect((await kit.read(id)).status).toBe('ORDERED');
  expect(calls('lag2')).toBe(1);
});

it('a cancel in doubt waits for the settle window before it says that nothing was placed', async () => {
  const menu = await kit.menu();
  const placed = await kit.order(menu, 'lag3');
  const id = placed.body.orders[0]?.id ?? '';
  kit.fault({ call: 'meican.addOrder', kind: 'late-effect', ms: 2_000, times: 1 });
  await kit.runDue();
  expect((await kit.cancel(id, 'lag3')).status).toBe(202);
  expect(await kit.eventOf(id, 'MEICAN_V2_CANCEL')).toMatchObject({ status: 'pending', outcome: 'unknown' });
  await expect.poll(() => kit.mealsAtMeican('lag3'), { timeout: 10_000 }).toBe(1);
  await kit.settleAll();
  expect(kit.mealsAtMeican('lag3')).toBe(0);
  expect(kit.balanceOf('lag3')).toBe(100_000);
});
