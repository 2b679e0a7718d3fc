import { readdirSync, readFileSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database, type Tx } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { discard } from '../../src/operate/discard.js';
import { prune } from '../../src/operate/prune.js';
import { requeue } from '../../src/operate/requeue.js';
import { expedite, makeDue, settleWithoutRunning } from '../../src/outbox/expedite.js';
import { migratedDatabase } from '../support/databases.js';
import { done, failed, note, outboxOf, recordNote, rowOf, runDue } from '../support/engine.js';
import { noteStatements } from '../support/statements.js';

/** The indexes that lead straight to a few rows. One on a status leads to all that have it. */
const STRAIGHT = new Set([
  'PRIMARY',
  'outbox_event_queue',
  'outbox_event_urgent',
  'outbox_event_queued_key',
  'outbox_event_pending_key',
  'outbox_event_dedupe_key',
]);

let url: string;
let database: Database;
let connection: mysql.Connection;

beforeAll(async () => {
  url = await migratedDatabase('mariadb');
  database = await Database.open({ url });
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

it('every statement of the engine uses an index that leads straight to its events, whatever the statistics are', async () => {
  const statements = new Map<string, readonly unknown[]>();
  noteStatements(
    database,
    (text, params) =>
      /outbox_event\b/.test(text) && /^\s*(SELECT|UPDATE|DELETE)/i.test(text) && statements.set(text, params),
  );
  const inHours = new Date(Date.now() + 3_600_000);
  for (let n = 0; n < 12; n++)
    await recordNote(database, { n, key: `k${n % 3}` }, n % 2 ? { deadlineAt: inHours } : {});
  for (let n = 12; n < 24; n++) await recordNote(database, { n });
  const outbox = outboxOf(
    database,
    async (event, context) => {
      if (event.payload.n === 13) await new Promise((resolve) => setTimeout(resolve, 300)); // so that leases are renewed
      if (event.payload.n === 14) await context.step(async () => {});
      if (event.payload.n === 15 || event.payload.n === 3) return failed;
      if (event.attempt === 1 && (event.payload.n === 16 || event.payload.n === 4))
        return { kind: 'snooze', afterMs: 1, outcome: null, reason: 'later' };
      return done;
    },
    { leaseMs: 300, failuresMax: 1, retryDelayMs: 1 },
  );
  await outbox.claimAndStart({ deadlineFirst: true, lookAheadMs: 15_000 });
  await runDue(outbox);
  await outbox.drain(1_000);
  await outbox.runInline(['k1', 'k2'], 50);
  await outbox.nextDueInMs(15_000);
  const [errored] = await database.query<{ id: unknown }>(
    sql`SELECT id FROM outbox_event WHERE dedupe_key = 'NOTE:3'`,
  );
  await requeue(database, String(errored?.id), {
    actor: 'a',
    role: 'operator',
    reason: 'r',
    requestId: null,
  });
  await recordNote(database, { n: 100, key: 'e' }, { runInMs: 60_000 });
  await recordNote(database, { n: 101, key: 'f' }, { runInMs: 60_000 });
  await database.transaction(async (tx) => {
    await expedite(tx, 'e');
    await makeDue(tx, note, { n: 101, key: 'f' });
    await settleWithoutRunning(tx, note, { n: 100, key: 'e' });
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
    for (const step of plan.filter(({ table }) => table === 'outbox_event'))
      expect([text, step.type]).not.toEqual([text, 'ALL']);
  }
});

/** Where a statement names a table of events without an index: `UPDATE outbox_event SET`, `FROM outbox_event WHERE`. */
const UNPINNED = /\boutbox_event(?: (?:AS )?e)?\s+(?!FORCE INDEX|\()/i;

it('every statement that changes or locks an event names its index, so that no statistics can lead it elsewhere', async () => {
  const seen = new Set<string>();
  noteStatements(
    database,
    (text) =>
      /\boutbox_event\b/.test(text) &&
      (/^\s*UPDATE outbox_event/i.test(text) || /FOR UPDATE/i.test(text)) &&
      seen.add(text),
  );
  await everyWay();
  const unpinned = [...seen].filter((text) => UNPINNED.test(text));
  expect(unpinned).toEqual([]);
  for (const part of [
    /attempt = attempt \+ 1/,
    /interruptions = interruptions \+ 1/,
    /SKIP LOCKED/,
    /SET status = 'pending'/,
    /SET status = 'discarded'/,
  ])
    expect([...seen].some((text) => part.test(text))).toBe(true);
});

it('the source has no statement that changes or locks events without naming its index', () => {
  const directory = new URL('../../src/outbox/', import.meta.url);
  const unpinned = readdirSync(directory).flatMap((file) => {
    const statements = readFileSync(new URL(file, directory), 'utf8').match(/sql`[^`]*`/g) ?? [];
    return statements
      .filter(
        (text) =>
          /UPDATE outbox_event (?!\$\{)/.test(text) ||
          /FROM outbox_event (?!\$\{)[^`]*(forUpdate|lockingRows|skipLocked)/.test(text),
      )
      .map((text) => [file, text]);
  });
  expect(unpinned).toEqual([]);
});

/** Whatever an event can go through. */
async function everyWay(): Promise<void> {
  const giveUp = { kind: 'give-up', failure: { outcome: 'rejected', code: 'NO', message: 'never' } } as const;
  const ids: string[] = [];
  for (let n = 300; n < 306; n++) ids.push(await recordNote(database, { n, key: `w${n % 2}` }));
  const dead = await recordNote(database, { n: 306 });
  await outboxOf(database, () => new Promise(() => {}), { batchSize: 100, leaseMs: 60_000 }).claimAndStart();
  await database.execute(
    sql`UPDATE outbox_event FORCE INDEX (PRIMARY) SET lease_until = UTC_TIMESTAMP(3), queue_at = UTC_TIMESTAMP(3) WHERE lease_until IS NOT NULL`,
  );
  const outbox = outboxOf(database, async (event, context) => {
    await context.step(async () => {});
    return event.id === dead ? giveUp : done;
  });
  await runDue(outbox);
  const act = { actor: 'a', role: 'operator', reason: 'r', requestId: null };
  await requeue(database, dead, act);
  await discard(database, outbox.registry, dead, act);
  await runDue(outbox);
  expect((await rowOf(database, ids[0] ?? '')).status).toBe('handled');
}

it('no claim waits for a prune: it deletes finished rows by their keys and locks nothing else', async () => {
  await connection.query(
    "UPDATE outbox_event SET settled_at = UTC_TIMESTAMP(3) - INTERVAL 2 DAY WHERE dedupe_key LIKE 'NOTE:h%' LIMIT 200",
  );
  const ids: string[] = [];
  for (let n = 200; n < 205; n++) ids.push(await recordNote(database, { n }));
  const other = await Database.open({ url });
  let isDeleted = false;
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const held = new Proxy(other, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'transaction') return typeof value === 'function' ? value.bind(target) : value;
      return <T>(work: (tx: Tx) => Promise<T>) =>
        target.transaction(async (tx) => {
          const result = await work(tx);
          isDeleted = true;
          await gate; // everything is deleted, and not committed
          return result;
        });
    },
  });
  const pruning = prune(held, { keepMs: 86_400_000, batchSize: 200, batchesMax: 1 });
  await expect.poll(() => isDeleted).toBe(true);
  const outbox = outboxOf(database, async () => done);
  const startedMs = performance.now();
  await runDue(outbox);
  for (const id of ids) expect((await rowOf(database, id)).status).toBe('handled');
  expect(performance.now() - startedMs).toBeLessThan(4_000); // a statement waits up to five seconds for a lock
  open();
  expect(await pruning).toBe(200);
  await other.close();
});

// Last: it leaves no event as it was.
it.each(['nothing but handled events', 'nothing but pending events', 'nothing but errored events'])(
  'statements by id use the primary key, whatever the statistics are: %s',
  async (_title) => {
    const status = /handled|pending|errored/.exec(_title)?.[0];
    await connection.query('UPDATE outbox_event SET status = ?', [status]);
    await connection.query('ANALYZE TABLE outbox_event');
    const byId = [
      "UPDATE outbox_event FORCE INDEX (PRIMARY) SET queue_at = NULL WHERE id IN (1, 2) AND status = 'pending'",
      "SELECT id FROM outbox_event FORCE INDEX (PRIMARY) WHERE id IN (1, 2) AND status = 'errored' FOR UPDATE",
    ];
    for (const text of byId) {
      const [plan] = await connection.query<mysql.RowDataPacket[]>(`EXPLAIN ${text}`);
      expect([text, plan[0]?.key]).toEqual([text, 'PRIMARY']);
    }
  },
);
