import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate, pendingMigrations, revertLast } from '../../src/database/migrate.js';
import { raw, sql } from '../../src/database/sql.js';
import { disagreements } from '../support/books.js';
import { type DatabaseKind, databaseKinds, emptyDatabase } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/**
 * `fixtures/november-*.sql` were dumped from databases that the program of 21 November 2026 (seven migrations)
 * filled through its own API, in the middle of an attempt; `november-vendors.jsonl` holds the vendors' books of
 * that moment. All names are made up. What had to wait longer than a test does was put off to 2099.
 */
const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`fixtures/november-${name}`, import.meta.url)), 'utf8');
const MIGRATIONS_THEN = 7;

/** The URL of a database as that program left it. */
async function oldDatabase(kind: DatabaseKind): Promise<string> {
  const url = await emptyDatabase(kind);
  const dump = fixture(`${kind}.sql`);
  if (kind === 'sqlite') {
    const database = await Database.open({ url });
    for (const statement of dump.split(/;\n(?=CREATE|INSERT|$)/))
      if (statement) await database.execute(raw(statement));
    await database.close();
  } else {
    const connection = await mysql.createConnection({ uri: url, multipleStatements: true, timezone: 'Z' });
    await connection.query(`SET foreign_key_checks = 0, time_zone = '+00:00'; ${dump}`);
    await connection.end();
  }
  return url;
}

type Rows = Record<string, Record<string, unknown>[]>;

/** Every table of the dump with all of its rows, and only the columns that it had then. */
async function rowsOf(database: Database): Promise<Rows> {
  const rows: Rows = {};
  for (const [, table = '', columns = ''] of fixture('sqlite.sql').matchAll(
    /^INSERT INTO "(\w+)" \(([^)]+)\)/gm,
  )) {
    if (table === 'migrations') continue;
    const names = columns.split(', ').map((name) => name.replaceAll('"', '`'));
    rows[table] = await database.query(raw(`SELECT ${names.join(', ')} FROM ${table} ORDER BY 1, 2`));
  }
  return rows;
}

describe.each(databaseKinds)('a database that an earlier lunchbox filled, on %s', (kind) => {
  it('keeps every row and value through the migrations of today, and back, and forth again', async () => {
    const database = await Database.open({ url: await oldDatabase(kind) });
    const before = await rowsOf(database);
    expect(Object.keys(before)).toHaveLength(18);
    expect(new Set(before.outbox_event?.map(({ status }) => status))).toEqual(
      new Set(['pending', 'handled', 'errored', 'discarded']),
    );
    await migrate(database);
    expect(await pendingMigrations(database)).toEqual([]);
    expect(await rowsOf(database)).toEqual(before);
    const count = async () =>
      Number((await database.query<{ n: unknown }>(sql`SELECT COUNT(*) AS n FROM migrations`))[0]?.n);
    while ((await count()) > MIGRATIONS_THEN) await revertLast(database);
    expect(await rowsOf(database)).toEqual(before);
    await migrate(database);
    expect(await rowsOf(database)).toEqual(before);
    await database.close();
  });

  describe('in the hands of today', () => {
    let kit: Kit;
    beforeAll(async () => {
      kit = await Kit.create(kind, { DATABASE_URL: await oldDatabase(kind) });
      for (const line of fixture('vendors.jsonl').split('\n').filter(Boolean)) {
        const { list, row, sequence } = JSON.parse(line);
        kit.sandbox.ledger.put(list, row);
        kit.sandbox.ledger.books.sequence = sequence;
      }
    });
    afterAll(() => kit.close());

    const eventsIn = (status: string) =>
      kit.database.query<{ id: unknown; type: string; attempt: number }>(
        sql`SELECT id, type, attempt FROM outbox_event WHERE status = ${status} ORDER BY id`,
      );

    it('carries out each pending event: after a crash, in doubt, blocked, paused, never attempted', async () => {
      const before = await eventsIn('pending');
      expect(before).toHaveLength(15);
      await kit.call('POST', '/v1/pauses/resume', {
        body: { scope: 'target', name: 'wecom', reason: 'quiet again' },
      });
      await kit.settleAll();
      const after = await kit.database.query<{ id: unknown; attempt: number }>(
        sql`SELECT id, attempt FROM outbox_event ORDER BY id`,
      );
      for (const { id, attempt } of before)
        expect(after.find((event) => event.id === id)?.attempt).toBeGreaterThan(attempt);
      // A ghost sweep looks until the cut-off; an open alert's event lives as long as its group.
      const waiting = (await eventsIn('pending')).map(({ type }) => type);
      expect(waiting).toEqual(['WECOM_ALERT', 'WECOM_ALERT', 'MEICAN_V2_CANCEL', 'WECOM_ALERT']);
      expect(kit.robotTexts().length).toBeGreaterThan(1); // the pause held back all but the first
    });

    it('requeues each errored event; then our books and the vendors’ agree but for what was discarded', async () => {
      const errored = await eventsIn('errored');
      expect(errored.map(({ type }) => type)).toEqual([
        'MEICAN_V2_CANCEL',
        'ENERGY_CENTER_V2_CANCEL',
        'MEICAN_NEW_V2_ORDER',
      ]);
      for (const { id } of errored) {
        const { status } = await kit.call('POST', `/v1/events/${id}/requeue`, {
          body: { reason: 'they are back' },
        });
        expect(status).toBe(200);
      }
      await kit.settleAll();
      expect(await eventsIn('errored')).toEqual([]);
      expect(await disagreements(kit.database, kit.sandbox.ledger.books)).toEqual([
        expect.stringMatching(/^order \d+5 USER_CANCEL: Meican still cooks$/),
      ]);
    });
  });
});
