import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { sql } from '../../src/database/sql.js';
import { createEnergyCancel } from '../../src/handlers/energy-cancel.js';
import { Outbox } from '../../src/outbox/outbox.js';
import type { EventHandler } from '../../src/outbox/types.js';
import { withRandomRefundNumbers } from '../sim/mechanisms.js';
import { runDue } from '../support/engine.js';
import { Kit } from '../support/kit.js';

/** An energy center that has forgotten how to recognise a repeated refund: all that is left is that we ask for the number first. */
describe('a refund whose answer was lost, at an energy center that does not deduplicate', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create('sqlite', { INLINE_BUDGET_MS: '100' }, { legacyMode: true });
  });
  afterAll(() => kit.close());

  it.each([
    ['with its number, is made once', false, 1],
    ['with another number for each try, is made twice: this test can fail', true, 2],
  ] as const)('%s', async (_name, random, refunds) => {
    const sub = `legacy-${random}`;
    const menu = await kit.menu({ stock: 10, capacity: 10 });
    const order = await kit.ordered(menu, sub);
    kit.fault({ call: 'energy.unPay', kind: 'rate-limit', variant: 'http' }); // the inline run gets nowhere
    await kit.cancel(order.id, sub);
    kit.sandbox.faults.clear();
    kit.fault({ call: 'energy.unPay', kind: 'reset-after', times: 1 });
    const { energy } = kit.runtime.clients;
    const handler = createEnergyCancel({
      database: kit.database,
      energy: random ? withRandomRefundNumbers(energy) : energy,
      clock: systemClock,
      timeoutMs: 1_000,
    });
    const outbox = new Outbox(
      kit.database,
      [handler as unknown as EventHandler<never>],
      kit.runtime.outbox.options,
    );
    await kit.database.execute(
      sql`UPDATE outbox_event SET queue_at = created_at WHERE type = 'ENERGY_CENTER_V2_CANCEL' AND status = 'pending'`,
    );
    await runDue(outbox);
    expect((await kit.read(order.id)).refund).toBe('DONE');
    expect(
      kit.sandbox.ledger.books.refunds.filter(
        (refund) => refund.outTradeNo === `P${order.orderNo}` && refund.status === 'SUCCESS',
      ),
    ).toHaveLength(refunds);
  });
});
