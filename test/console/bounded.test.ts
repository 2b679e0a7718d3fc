import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { seed } from '../../src/dev/seed.js';
import { LOOK_MAX } from '../../src/operate/list.js';
import { openConsole } from '../support/console.js';
import { migratedDatabase } from '../support/databases.js';
import { consolePages } from '../support/pages.js';

const EVENTS = 60_000;
/** One statement may look at two bounded sets, and read each row by its index and then by its key. */
const READS_MAX = 4.5 * LOOK_MAX;
const GROWING = [
  'outbox_event',
  'event_attempt',
  'box_order',
  'order_step',
  'alert_occurrence',
  'operator_action',
];

describe('on a table of 60,000 events', () => {
  let url: string;
  let open: Awaited<ReturnType<typeof openConsole>>;
  let pages: Awaited<ReturnType<typeof consolePages>>;
  let connection: mysql.Connection;

  beforeAll(async () => {
    url = await migratedDatabase('mariadb');
    const database = await Database.open({ url, statementTimeoutMs: 60_000 });
    await seed(database, EVENTS, () => {});
    pages = await consolePages(database);
    await database.close();
    connection = await mysql.createConnection({ uri: url, timezone: 'Z' });
    await connection.query(`ANALYZE TABLE ${GROWING.join(', ')}`);
    open = await openConsole(url);
  }, 120_000);
  afterAll(async () => {
    await open.close();
    await connection.end();
  });

  it('no statement of any page scans a growing table, nor reads more than it shows or counts', async () => {
    for (const { url: page } of pages)
      expect([page, (await open.get(page)).statusCode]).toEqual([
        page,
        expect.toSatisfy((status: number) => status === 200 || status === 303),
      ]);
    const statements = [
      ...new Map(
        open.statements.filter(({ text }) => /^\s*(SELECT|\()/i.test(text)).map((one) => [one.text, one]),
      ).values(),
    ];
    expect(statements.length).toBeGreaterThan(40);
    for (const { text, params } of statements) {
      const values = params.map((value) => (value === undefined ? null : value)) as string[];
      const [plan] = await connection.query<mysql.RowDataPacket[]>(`EXPLAIN ${text}`, values);
      for (const step of plan)
        if (GROWING.includes(String(step.table)))
          expect(step.type, `${step.table} is scanned by ${text}`).not.toBe('ALL');
      await connection.query('FLUSH STATUS');
      await connection.query(text, values);
      const [reads] = await connection.query<mysql.RowDataPacket[]>(
        "SHOW SESSION STATUS LIKE 'Handler_read%'",
      );
      const read = reads.reduce(
        (sum, row) => sum + (String(row.Variable_name).endsWith('_deleted') ? 0 : Number(row.Value)),
        0,
      );
      expect(read, `rows read by ${text}`).toBeLessThan(READS_MAX);
    }
  }, 120_000);

  it('pages that are shown stay small', async () => {
    for (const { url: page } of pages)
      expect((await open.get(page)).body.length, page).toBeLessThan(45 * 1024);
  });

  it('each number of the overview is the number of its list, also beyond what is counted', async () => {
    const page = (await open.get('/console/')).body;
    expect(page).toMatch(/state=errored">(?:<span[^>]*>[^<]*<\/span><b>)?6000</);
    const list = (await open.get('/console/events?state=handled')).body;
    expect(list).toContain('10,000+');
    expect((await open.get('/console/events?state=errored')).body).toContain('<strong>6000</strong>');
  });

  it('100,000 failures of five causes are five groups', async () => {
    const causes = (await open.get('/console/causes')).body;
    expect(causes.match(/<tr><th scope="row">/g)).toHaveLength(5);
  });
});
