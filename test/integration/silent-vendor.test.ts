import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/app/logging.js';
import { type Clients, createClients, createOutbox } from '../../src/app/runtime.js';
import { raw, sql } from '../../src/database/sql.js';
import type { Outbox } from '../../src/outbox/outbox.js';
import { type DatabaseKind, databaseKinds } from '../support/databases.js';
import { runDue } from '../support/engine.js';
import { Kit } from '../support/kit.js';

const STEP_S = 15;
const OUTAGE_STEPS = 40; // ten minutes
const instants = {
  outbox_event: ['run_at', 'queue_at', 'deadline_at', 'snooze_since', 'vain_since', 'unknown_at'],
  box_order: ['cutoff_at'],
} as const;

type Outage = ['meican' | 'energy' | 'both', '503' | 'nothing', number];

/** Which vendors, how, and about how many orders. What the database is changes little here: one of the two meets them all. */
function outages(kind: DatabaseKind): Outage[] {
  if (kind !== 'sqlite') return [['both', '503', 3]];
  return [
    ['meican', '503', 1],
    ['meican', '503', 3],
    ['energy', '503', 1],
    ['energy', '503', 3],
    ['both', '503', 3],
    ['both', 'nothing', 1],
    ['both', 'nothing', 3],
  ];
}

describe.each(databaseKinds)('a vendor that answers nothing usable to anything, on %s', (kind) => {
  let kit: Kit;
  /** A scheduler whose clock, the breaker's and the database's, passes when the test says so. */
  let scheduler: Outbox;
  let nowMs = 0;
  let clients: Clients;
  let n = 0;

  beforeAll(async () => {
    // Who orders has time; the scheduler has little, so that ten minutes of nothing pass quickly. Cancels are its business alone.
    kit = await Kit.create(kind, {
      MEICAN_TIMEOUT_MS: '3000',
      ENERGY_TIMEOUT_MS: '3000',
      RETRY_DELAY_MS: '15000',
      INLINE_BUDGET_MS: '0',
    });
    const settings = { ...kit.runtime.settings, MEICAN_TIMEOUT_MS: 200, ENERGY_TIMEOUT_MS: 200 };
    clients = createClients(settings);
    scheduler = createOutbox(settings, kit.database, clients, createLogger('silent', 'test'), {
      nowMs: () => nowMs,
    });
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) client.close();
    await kit.close();
  });
  beforeEach(async () => {
    kit.sandbox.faults.clear();
    await kit.database.execute(sql`DELETE FROM outbox_event`);
  });

  /** Time passes by moving every instant of the books back. */
  async function pass(): Promise<void> {
    nowMs += STEP_S * 1000;
    const earlier = (column: string): string =>
      kind === 'sqlite'
        ? `strftime('%Y-%m-%d %H:%M:%f', ${column}, '-${STEP_S} seconds')`
        : `${column} - INTERVAL ${STEP_S} SECOND`;
    for (const [table, columns] of Object.entries(instants))
      await kit.database.execute(
        sql`UPDATE ${raw(table)} SET ${raw(columns.map((column) => `${column} = ${earlier(column)}`).join(', '))} ${raw(table === 'outbox_event' ? 'WHERE lease_until IS NULL' : '')}`,
      );
    await runDue(scheduler);
  }

  const erroredCount = async () =>
    (await kit.database.query(sql`SELECT id FROM outbox_event WHERE status = 'errored'`)).length;
  const isOpen = async () =>
    (
      await kit.database.query(
        sql`SELECT id FROM outbox_event WHERE status = 'pending' AND type <> 'WECOM_ALERT' LIMIT 1`,
      )
    ).length > 0;

  it.each(outages(kind))(
    '%s answering %s for ten minutes: none of %s orders is lost, no event errored',
    async (who, answer, count) => {
      const vendors = who === 'both' ? ['meican', 'energy'] : [who];
      const menu = await kit.menu({ stock: 100, capacity: 100, cutoffAt: new Date(Date.now() + 3_600_000) });
      const someone = (): string => `silent-${kind}-${++n}`;
      const cancelled = await Promise.all(
        Array.from({ length: count }, async () => {
          const sub = someone();
          const placed = await kit.order(menu, sub);
          return { sub, id: placed.body.orders[0]?.id ?? '' };
        }),
      );
      await runDue(scheduler);
      const kept: { sub: string; id: string }[] = [];
      for (let i = 0; i < count; i++) {
        const sub = someone();
        kept.push({ sub, id: (await kit.order(menu, sub)).body.orders[0]?.id ?? '' });
      }
      for (const vendor of vendors)
        kit.fault({
          call: vendor,
          ...(answer === '503' ? { kind: 'status-before', status: 503 } : { kind: 'hang-before' }),
        });
      for (const { sub, id } of cancelled) expect((await kit.cancel(id, sub)).status).toBe(202);
      const unsure = someone();
      await kit.order(menu, unsure); // whatever it is told, its money must be right in the end

      for (let step = 0; step < OUTAGE_STEPS; step++) await pass();
      expect(await erroredCount()).toBe(0);

      kit.sandbox.faults.clear();
      for (let step = 0; step < 80 && (await isOpen()); step++) await pass();
      expect([await erroredCount(), await isOpen()]).toEqual([0, false]);
      for (const { sub, id } of kept) {
        expect((await kit.read(id)).status).toBe('ORDERED');
        expect([kit.mealsAtMeican(sub), kit.balanceOf(sub)]).toEqual([1, 100_000 - 2300]);
      }
      for (const { sub, id } of cancelled) {
        expect(await kit.read(id)).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
        expect([kit.mealsAtMeican(sub), kit.balanceOf(sub)]).toEqual([0, 100_000]);
      }
      expect(kit.balanceOf(unsure)).toBe(100_000 - 2300 * kit.mealsAtMeican(unsure));
    },
  );

  it('a call that always fails is no outage while the vendor answers others: the third failed attempt errors', async () => {
    const menu = await kit.menu({ stock: 100, capacity: 100, cutoffAt: new Date(Date.now() + 3_600_000) });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++)
      ids.push((await kit.order(menu, `poison-${kind}-${i}`)).body.orders[0]?.id ?? '');
    kit.fault({ call: 'meican.addOrder', kind: 'status-before', status: 503 });
    for (let step = 0; step < 12; step++) await pass();
    for (const id of ids)
      expect(await kit.eventOf(id, 'MEICAN_NEW_V2_ORDER')).toMatchObject({
        status: 'errored',
        failures: 3,
        outcome: 'unknown',
      });
    expect(scheduler.breakerOf('meican').view.state).toBe('closed');
  });
});
