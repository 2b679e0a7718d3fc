import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../src/database/sql.js';
import { meicanNewOrder } from '../../src/handlers/meican-new-order.js';
import { databaseKinds } from '../support/databases.js';
import { handlerCases } from '../support/handler-cases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('every handler on %s', (kind) => {
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;
  let user = 0;

  beforeAll(async () => {
    // Many of these vendors never answer: their time is short.
    kit = await Kit.create(kind, {
      MEICAN_TIMEOUT_MS: '600',
      ENERGY_TIMEOUT_MS: '600',
      WECOM_TIMEOUT_MS: '600',
    });
  });
  afterAll(() => kit.close());
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });
  const statusOf = async (id: string) =>
    (
      await kit.call<{
        status: string;
        outcome: string | null;
        failures: number;
        attempts: { request: unknown; answer: unknown }[];
      }>('GET', `/v1/events/${id}`)
    ).body;

  describe.each(handlerCases.map((one) => [one.definition.type, one] as const))('%s', (_type, one) => {
    it('has an example that fits its schema', () => {
      expect(one.definition.schema.safeParse(one.definition.example).success).toBe(true);
    });

    it('applied: handled, done once, with request and answer in the journal', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.runDue();
      const event = await statusOf(id);
      expect(event).toMatchObject({ status: 'handled', outcome: 'applied', failures: 0 });
      expect(one.effects(kit, sub)).toBe(1);
      expect(event.attempts.at(-1)?.request).not.toBeNull();
      expect(event.attempts.at(-1)?.answer).not.toBeNull();
    });

    it('rejected: errored at once, never repeated', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: 'refused', code: one.refusal });
      await kit.pass(3);
      expect(await statusOf(id)).toMatchObject({ status: 'errored', outcome: 'rejected', failures: 1 });
      expect(one.effects(kit, sub)).toBe(0);
    });

    it('not applied: repeated, then done once', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      kit.fault({ call: one.call, kind: 'rate-limit', times: 1 });
      await kit.runDue();
      expect(await statusOf(id)).toMatchObject({ status: 'pending', failures: 0 });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it.each(['reset-after', 'hang-after', 'status-after', 'malformed-after', 'drip'] as const)(
      'unknown (%s): done once all the same',
      async (fault) => {
        const sub = `h${++user}`;
        const id = await one.arrange(kit, menu, sub);
        kit.fault({ call: one.call, kind: fault, times: 1 });
        await kit.settleAll();
        expect(await statusOf(id)).toMatchObject({ status: 'handled' });
        expect(one.effects(kit, sub)).toBe(1);
      },
    );

    it.each(['reset-before', 'hang-before', 'status-before'] as const)(
      'unknown and not done (%s): done in the end, once',
      async (fault) => {
        const sub = `h${++user}`;
        const id = await one.arrange(kit, menu, sub);
        kit.fault({ call: one.call, kind: fault, times: 1 });
        await kit.settleAll();
        expect(await statusOf(id)).toMatchObject({ status: 'handled' });
        expect(one.effects(kit, sub)).toBe(1);
      },
    );

    it('twice: a second run of the same event adds nothing', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.runDue();
      await kit.database.execute(
        sql`UPDATE outbox_event SET status = 'errored', queue_at = NULL WHERE id = ${id}`,
      );
      await kit.call('POST', `/v1/events/${id}/requeue`, { body: { reason: 'again' } });
      await kit.settleAll();
      expect(await statusOf(id)).toMatchObject({ status: 'handled' });
      expect(one.effects(kit, sub)).toBe(1);
    });

    it('after the cut-off: a placement is given up, money and cancels go on', async () => {
      const sub = `h${++user}`;
      const id = await one.arrange(kit, menu, sub);
      await kit.database.execute(sql`UPDATE box_order SET cutoff_at = created_at`);
      await kit.runDue();
      if (one.definition.type === meicanNewOrder.type) {
        expect(await statusOf(id)).toMatchObject({ status: 'errored', outcome: 'not-applied' });
        expect(one.effects(kit, sub)).toBe(0);
      } else expect(await statusOf(id)).toMatchObject({ status: 'handled' });
    });

    if (!one.aboutOrder) return;
    it('the order gone: errored at once, no crash', async () => {
      const id = await one.arrange(kit, menu, `h${++user}`);
      await kit.database.execute(sql`DELETE FROM box_order`);
      await kit.runDue();
      expect(await statusOf(id)).toMatchObject({ status: 'errored' });
    });
  });
});
