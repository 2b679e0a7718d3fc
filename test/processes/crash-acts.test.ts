import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { crashPoints } from '../../src/base/crash-point.js';
import { Database } from '../../src/database/database.js';
import { migrate, pendingMigrations } from '../../src/database/migrate.js';
import { now, sql } from '../../src/database/sql.js';
import { prune } from '../../src/operate/prune.js';
import { disagreements } from '../support/books.js';
import { CliHost } from '../support/cli-host.js';
import { type DatabaseKind, databaseKinds, emptyDatabase, migratedDatabase } from '../support/databases.js';
import { Kit, tomorrow } from '../support/kit.js';
import { launch, packed, unhurried } from '../support/processes.js';

/** What the schema consists of, in one comparable text. */
async function schemaOf(database: Database, kind: DatabaseKind): Promise<string> {
  const rows =
    kind === 'sqlite'
      ? await database.query(
          sql`SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY type, name`,
        )
      : [
          ...(await database.query(
            sql`SELECT table_name, column_name, column_type, is_nullable, generation_expression FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2`,
          )),
          ...(await database.query(
            sql`SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3`,
          )),
        ];
  return JSON.stringify(rows);
}

it.each(databaseKinds)('what the tests start from is what the migrations make, on %s', async (kind) => {
  const [copy, migrated] = [
    await Database.open({ url: await migratedDatabase(kind) }),
    await Database.open({ url: await emptyDatabase(kind) }),
  ];
  await migrate(migrated);
  expect(await pendingMigrations(copy)).toEqual([]);
  expect(await schemaOf(copy, kind)).toBe(await schemaOf(migrated, kind));
  await Promise.all([copy.close(), migrated.close()]);
});

describe.each(databaseKinds)('a migration that is killed on %s', (kind) => {
  // Some of its statements, spread over all migrations; a number beyond the last one would not kill, and fail.
  const statements = [1, 9, 23, 37, 51, 65, 73];

  it.each(statements)(
    'after statement %i runs to its end the next time, and leaves the same schema',
    async (nth) => {
      const url = await emptyDatabase(kind);
      const whole = await Database.open({ url: await migratedDatabase(kind) });
      const dying = launch([packed('cli'), 'migrate'], {
        DATABASE_URL: url,
        RETRY_LIMIT: '3',
        CRASH_AT: `${crashPoints.migrate[0]}:${nth}`,
      });
      expect([await dying.ended, dying.output()]).toEqual(['SIGKILL', '']);
      const database = await Database.open({ url });
      await migrate(database);
      expect(await pendingMigrations(database)).toEqual([]);
      expect(await schemaOf(database, kind)).toBe(await schemaOf(whole, kind));
      await Promise.all([database.close(), whole.close()]);
    },
  );
});

describe.each(databaseKinds)('a process that is killed on %s', (kind) => {
  let kit: Kit;
  let host: CliHost;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    host = await CliHost.start();
    kit = await Kit.create(kind, unhurried);
    menu = await kit.menu({ stock: 50, capacity: 50 });
  });
  afterAll(() => {
    host.stop();
    return kit.close();
  });

  /** Where it is to be killed, in a process of its own. */
  const cli = async (args: string[], crashAt?: string) => {
    const own = { ...kit.env, REDIS_URLS: kind === 'sqlite' ? '' : inject('redisUrl') };
    return crashAt
      ? launch([packed('cli'), ...args], { ...own, CRASH_AT: crashAt }).ended
      : (await host.run(args, own)).code;
  };
  const audited = async (id: string, of: 'event' | 'order' = 'event') =>
    (
      await kit.database.query<{ verb: string }>(
        sql`SELECT verb FROM operator_action WHERE target_id = ${id} AND target_type = ${of}`,
      )
    ).map((row) => row.verb);

  it.each([
    ['in-requeue', ['events', 'requeue'], [], 'requeue', 'pending'],
    ['in-settle-by-hand', ['events', 'settle'], ['--done'], 'settle-done', 'handled'],
    ['in-settle-by-hand', ['events', 'settle'], ['--not-done'], 'settle-not-done', 'pending'],
  ] as const)(
    '%s (%s %s): nothing happened, and the second time it happens once',
    async (point, verb, flags, deed, after) => {
      const { orderId, id } = await kit.parkedRefund(menu, `${deed}-${kind}`);
      const args = [...verb, id, ...flags, '--reason', 'tried', '--as', 'me'];
      expect(await cli(args, point)).toBe('SIGKILL');
      expect((await kit.eventOf(orderId, 'ENERGY_CENTER_V2_CANCEL')).status).toBe('errored');
      expect(await audited(id)).toEqual([]);
      expect(await cli(args)).toBe(0);
      expect((await kit.eventOf(orderId, 'ENERGY_CENTER_V2_CANCEL')).status).toBe(after);
      expect(await audited(id)).toEqual([deed]);
      await kit.settleAll();
      expect((await kit.read(orderId)).refund).toBe('DONE');
      expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
    },
  );

  it('in-discard: nothing happened, and the second time the order ends once, with all that follows', async () => {
    const order = (await kit.order(menu, `discard-${kind}`)).body.orders[0];
    const { id, type } = await kit.eventOf(order?.id ?? '', 'MEICAN_NEW_V2_ORDER');
    const args = ['events', 'discard', id, '--reason', 'tried', '--as', 'me'];
    expect(await cli(args, 'in-discard')).toBe('SIGKILL');
    expect((await kit.eventOf(order?.id ?? '', type)).status).toBe('pending');
    expect((await kit.read(order?.id ?? '')).status).toBe('ORDERING');
    expect(await audited(id)).toEqual([]);
    expect(await cli(args)).toBe(0);
    expect(await audited(id)).toEqual(['discard']);
    await kit.settleAll();
    expect(await kit.read(order?.id ?? '')).toMatchObject({ status: 'ORDER_ERROR', refund: 'DONE' });
    expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([]);
  });

  it('in-repair: nothing happened, and the second time it happens once', async () => {
    const order = await kit.ordered(menu, 'rep');
    kit.fault({ call: 'meican.cancelOrder', kind: 'lost-effect', times: 1 });
    await kit.cancel(order.id, 'rep');
    const repair = ['books', 'repair', '--day', tomorrow, '--apply', '--reason', 'lost', '--as', 'me'];
    expect(await cli(repair, 'in-repair')).toBe('SIGKILL');
    expect(await audited(order.id, 'order')).toEqual([]);
    expect(kit.mealsAtMeican('rep')).toBe(1);
    expect(await cli(repair)).toBe(0);
    expect(await audited(order.id, 'order')).toEqual(['repair']);
    await kit.settleAll();
    expect(kit.mealsAtMeican('rep')).toBe(0);
  });

  it('in-prune: no attempt loses its event, no event its attempts, and the next one prunes the rest', async () => {
    await kit.ordered(menu, 'old');
    await kit.settleAll();
    await kit.database.execute(
      sql`UPDATE outbox_event SET settled_at = '2020-01-01 00:00:00.000' WHERE status = 'handled'`,
    );
    const count = async (table: 'outbox_event' | 'event_attempt') =>
      (
        await kit.database.query(
          table === 'outbox_event'
            ? sql`SELECT id FROM outbox_event`
            : sql`SELECT event_id FROM event_attempt`,
        )
      ).length;
    const before = [await count('outbox_event'), await count('event_attempt')];
    const dying = launch([packed('prune-worker')], {
      DATABASE_URL: kit.env.DATABASE_URL ?? '',
      CRASH_AT: 'in-prune',
    });
    expect(await dying.ended).toBe('SIGKILL');
    expect([await count('outbox_event'), await count('event_attempt')]).toEqual(before);
    await prune(kit.database, { keepMs: 86_400_000, batchSize: 200, batchesMax: 10 });
    expect(await kit.database.query(sql`SELECT id FROM outbox_event WHERE status = 'handled'`)).toEqual([]);
    const orphans = await kit.database.query(
      sql`SELECT event_id FROM event_attempt WHERE event_id NOT IN (SELECT id FROM outbox_event)`,
    );
    expect(orphans).toEqual([]);
    await kit.database.execute(sql`UPDATE outbox_event SET run_at = ${now} WHERE status = 'pending'`);
  });
});
