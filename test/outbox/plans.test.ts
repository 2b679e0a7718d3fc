import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { sql } from '../../src/database/sql.js';
import { expedite, makeDue, settleAsNeedless } from '../../src/outbox/expedite.js';
import { requeue } from '../../src/outbox/requeue.js';
import { emptyDatabase } from '../support/databases.js';
import { done, failed, note, outboxOf, recordNote, runDue } from '../support/engine.js';
import { noteStatements } from '../support/statements.js';

/** The indexes that lead straight to a few rows. One on a status leads to all that have it. */
const STRAIGHT = new Set([
  'PRIMARY',
  'outbox_event_queue',
  'outbox_event_urgent',
  'outbox_event_queued_key',
  'outbox_event_ordering_key',
  'outbox_event_dedupe_key',
]);

let url: string;
let database: Database;
let connection: mysql.Connection;

beforeAll(async () => {
  url = await emptyDatabase('mariadb');
  database = await Database.open({ url });
  await migrate(database);
  connection = await mysql.createConnection({ uri: url, timezone: 'Z' });
  // The worst statistics: nothing is pending and nothing errored, so that an index on the status looks as good as any. Then a burst comes.
  await connection.query(`
    INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, ordering_key, run_at, created_at, settled_at)
    SELECT 'NOTE', 'handled', '{"n":1}', 1, CONCAT('NOTE:h', seq), CONCAT('h', seq), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM seq_1_to_3000`);
  await connection.query('ANALYZE TABLE outbox_event');
});
afterAll(async () => {
  await connection.end();
  await database.close();
});

it('every statement of the engine finds its events by an index that leads straight to them, whatever the statistics say', async () => {
  const statements = new Map<string, readonly unknown[]>();
  noteStatements(database, (text, params) => /outbox_event\b/.test(text) && /^\s*(SELECT|UPDATE|DELETE)/i.test(text) && statements.set(text, params));
  const inHours = new Date(Date.now() + 3_600_000);
  for (let n = 0; n < 12; n++) await recordNote(database, { n, key: `k${n % 3}` }, n % 2 ? { deadlineAt: inHours } : {});
  for (let n = 12; n < 24; n++) await recordNote(database, { n });
  const outbox = outboxOf(
    database,
    async (event, context) => {
      if (event.payload.n === 13) await new Promise((resolve) => setTimeout(resolve, 300)); // so that leases are renewed
      if (event.payload.n === 14) await context.step(async () => {});
      if (event.payload.n === 15 || event.payload.n === 3) return failed;
      if (event.payload.n === 16 || event.payload.n === 4) return { kind: 'snooze', afterMs: 1, outcome: null, reason: 'later' };
      return done;
    },
    { leaseMs: 300, failuresMax: 1, retryDelayMs: 1 },
  );
  await outbox.claimAndStart({ deadlineFirst: true, lookAheadMs: 15_000 });
  await Promise.race([runDue(outbox), new Promise((resolve) => setTimeout(resolve, 1_500))]);
  await outbox.drain(1_000);
  await outbox.runInline(['k1', 'k2'], 50);
  await outbox.nextDueInMs(15_000);
  const [errored] = await database.query<{ id: unknown }>(sql`SELECT id FROM outbox_event WHERE dedupe_key = 'NOTE:3'`);
  await requeue(database, String(errored?.id), { actor: 'a', role: 'operator', reason: 'r', requestId: null });
  await recordNote(database, { n: 100, key: 'e' }, { runInMs: 60_000 });
  await recordNote(database, { n: 101, key: 'f' }, { runInMs: 60_000 });
  await database.transaction(async (tx) => {
    await expedite(tx, 'e');
    await makeDue(tx, note, { n: 101, key: 'f' });
    await settleAsNeedless(tx, note, { n: 100, key: 'e' });
  });
  const texts = [...statements.keys()].join('\n');
  for (const part of [
    /SKIP LOCKED/,
    /urgent_at/,
    /SET attempt = attempt \+ 1/,
    /SET status = 'handled'|SET status = \?/,
    /SET lease_until/,
    /SET queue_at = run_at/,
  ])
    expect(texts).toMatch(part);
  for (const [text, params] of statements) {
    const [plan] = await connection.query<mysql.RowDataPacket[]>(`EXPLAIN ${text}`, [...params]);
    for (const step of plan.filter(({ table, key }) => table === 'outbox_event' && key !== null))
      expect([text, STRAIGHT.has(String(step.key))]).toEqual([text, true]);
    for (const step of plan.filter(({ table }) => table === 'outbox_event')) expect([text, step.type]).not.toEqual([text, 'ALL']);
  }
});
