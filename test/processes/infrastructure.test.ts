import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
// @ts-expect-error plain JavaScript
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { sql } from '../../src/database/sql.js';
import { consumptionSync } from '../../src/handlers/consumption-sync.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { record } from '../../src/outbox/record.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { Sandbox } from '../../src/sandbox/server.js';
import { emptyDatabase } from '../support/databases.js';
import { Load, sleep } from '../support/load.js';
import { type Child, call, environment, launch, root, startApi, startScheduler } from '../support/processes.js';

interface Server {
  url: string;
  port: number;
  child: { kill(signal: string): boolean };
  stop(signal?: string): Promise<void>;
}

const date = '2031-07-07';
const CLIENTS = 6;
/** What a request may take when everything it needs is away: the statement's deadline of 15 s, and a little. */
const ANSWER_MAX_MS = 18_000;

/** A whole production: one API and two schedulers as processes, on servers of their own, under load, while something is done to the servers. */
describe('infrastructure that fails under load', { timeout: 120_000 }, () => {
  let directory: string;
  let mariadb: Server;
  let redis: Server;
  let sandbox: Sandbox;
  let root_: mysql.Connection;
  let database: Database;
  let api: Child & { url: string };
  let schedulers: Child[] = [];
  let load: Load;
  const programs = findPrograms();
  /** A database server whose disk is small: one file for all tables, that may grow to so much and no further. */
  const small = (maxMb: number) => ['--innodb-file-per-table=0', `--innodb-data-file-path=ibdata1:12M:autoextend:max:${maxMb}M`];
  const startDatabase = (more: string[] = []): Promise<Server> =>
    (async () => startMariadb({ directory: path.join(directory, 'mariadb'), port: mariadb?.port ?? (await freePort()), durable: true, more }, programs))();

  beforeAll(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-faults-'));
    mariadb = await startDatabase();
    redis = await startRedis({ directory: path.join(directory, 'redis'), port: await freePort() }, programs);
    sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
  });
  afterAll(async () => {
    await sandbox.close();
    await mariadb.stop('SIGKILL');
    await redis.stop('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const connectRoot = async (): Promise<mysql.Connection> => mysql.createConnection(mariadb.url);

  /** A database of its own whose user is no administrator: one who is may write to a read-only server. */
  async function begin(overrides: Record<string, string> = {}): Promise<void> {
    root_ = await connectRoot();
    await root_.query('DROP DATABASE IF EXISTS faults');
    await root_.query('CREATE DATABASE faults CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
    await root_.query("CREATE USER IF NOT EXISTS 'lunchbox'@'%' IDENTIFIED BY 'lunchbox'");
    await root_.query("GRANT ALL ON faults.* TO 'lunchbox'@'%'");
    const url = `mysql://lunchbox:lunchbox@127.0.0.1:${mariadb.port}/faults`;
    database = await Database.open({ url, statementTimeoutMs: 5_000 });
    await migrate(database);
    await putMenu(
      database,
      { garden: 'g', date, mealType: 'LUNCH' },
      {
        corp: 'c',
        cutoffAt: new Date(`${date}T02:30:00Z`),
        dishes: Array.from({ length: 3 }, (_, i) => ({ meicanDishId: String(100 + i), name: `dish ${i}`, priceInCent: 1000 + i, stock: 100_000 })),
        sideboards: [
          { location: 'L', addressId: 'A', capacity: 100_000 },
          { location: 'M', addressId: 'B', capacity: 100_000 },
        ],
      },
    );
    const env = {
      ...environment(sandbox.url, url, redis.url),
      LEASE_MS: '2000',
      PAYMENT_WINDOW_MS: '4000',
      MEICAN_SETTLE_MS: '500',
      RATE_LIMIT_USER_PER_MINUTE: '1000000',
      ...overrides,
    };
    [api, ...schedulers] = await Promise.all([startApi(env), startScheduler(env), startScheduler(env)]);
    const menus = [await getMenu(database, { garden: 'g', date, mealType: 'LUNCH' })];
    load = new Load({ apis: () => [api.url], menus, date, random: mulberry32(1), pauseMs: 30 });
  }

  /** Orders and cancels before, during and after; then rest, and then the books. */
  async function under(fault: () => Promise<void>): Promise<void> {
    let goesOn = true;
    const clients = Array.from({ length: CLIENTS }, (_, i) => load.client(`c${i}`, () => goesOn));
    try {
      await expect.poll(() => load.counts.placed, { timeout: 20_000 }).toBeGreaterThan(10);
      await fault();
      const after = load.counts.placed + 10;
      await expect.poll(() => load.counts.placed, { timeout: 40_000, interval: 100 }).toBeGreaterThan(after); // recovered by itself
    } catch (error) {
      load.abandon();
      await Promise.allSettled(clients);
      throw error;
    }
    goesOn = false;
    await Promise.all(clients);
  }

  async function agree(): Promise<void> {
    expect(await load.rest(database, 40_000)).toBe(true);
    expect(await load.violations(database, sandbox.ledger.books)).toEqual([]);
    expect(load.counts).toMatchObject({ refused: 0, unanswered: 0 });
    expect(load.slowestMs).toBeLessThan(ANSWER_MAX_MS);
  }

  /** Lines at error or above, of each process. */
  const complaints = (): { msg: string }[][] =>
    [api, ...schedulers].map((child) =>
      child
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .filter((line) => line.level === 'error' || line.level === 'fatal'),
    );

  afterEach(async () => {
    await Promise.all([api, ...schedulers].map((child) => child.stop('SIGKILL')));
    await database.close();
    await root_.end().catch(() => {});
    sandbox.faults.clear();
    sandbox.ledger.reset();
  });

  it('MariaDB killed and restarted, twice: nothing is lost, and each process says it once an outage', async () => {
    await begin();
    await under(async () => {
      for (let i = 0; i < 2; i++) {
        await mariadb.stop('SIGKILL');
        await sleep(500);
        mariadb = await startDatabase();
        const before = load.counts.placed;
        await expect.poll(() => load.counts.placed, { timeout: 30_000 }).toBeGreaterThan(before + 5);
      }
    });
    await agree();
    for (const lines of complaints()) expect(lines.length, lines.map((line) => line.msg).join(' · ')).toBeLessThanOrEqual(4);
  });

  it('its connections are cut, one by one', async () => {
    await begin();
    await under(async () => {
      for (let i = 0; i < 60; i++) {
        const [rows] = await root_.query<mysql.RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE user = 'lunchbox' ORDER BY RAND() LIMIT 1",
        );
        for (const row of rows) await root_.query(`KILL ${Number(row.id)}`).catch(() => {});
        await sleep(40);
      }
    });
    await agree();
  });

  it('deadlocks and lock waits are provoked', async () => {
    await begin();
    const saboteur = await connectRoot();
    await saboteur.query('USE faults');
    let deadlocks = 0;
    await under(async () => {
      for (let i = 0; i < 25; i++) {
        // The dish first, then the cabinet: the wrong way round.
        await saboteur.query('START TRANSACTION');
        await saboteur
          .query('SELECT id FROM box_dish ORDER BY id FOR UPDATE')
          .then(() => sleep(60))
          .then(() => saboteur.query('UPDATE box_sideboard SET remaining = remaining ORDER BY id'))
          .then(() => saboteur.query('SELECT id FROM outbox_event ORDER BY id DESC LIMIT 20 FOR UPDATE'))
          .then(() => sleep(40))
          .catch(() => {}); // it may be the victim itself
        await saboteur.query('ROLLBACK');
        await sleep(20);
      }
      const [[status]] = await saboteur.query<mysql.RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
      deadlocks = Number(status?.Value);
    });
    await saboteur.end();
    expect(deadlocks).toBeGreaterThan(0);
    await agree();
  });

  it('MariaDB is read-only for a while', async () => {
    await begin();
    await under(async () => {
      await root_.query('SET GLOBAL read_only = 1');
      await sleep(3_000);
      const refused = await call<{ code: string }>(`${api.url}/v1/orders`, 'POST', {
        sub: 'reader',
        key: 'k',
        body: { garden: 'g', meals: [{ dishId: '1', sideboardId: '1', edibleDate: date, mealType: 'LUNCH' }] },
      });
      expect([refused.status, refused.body.code]).toEqual([503, 'dependency-unavailable']);
      await root_.query('SET GLOBAL read_only = 0');
    });
    await agree();
    for (const lines of complaints()) expect(lines.length, lines.map((line) => line.msg).join(' · ')).toBeLessThanOrEqual(3);
  });

  it('its disk is full until somebody brings a larger one', async () => {
    await mariadb.stop('SIGTERM');
    const { port } = mariadb;
    rmSync(path.join(directory, 'mariadb'), { recursive: true });
    // A first start without limit makes the users and tables; how much they take decides what is "small".
    mariadb = await startMariadb({ directory: path.join(directory, 'mariadb-small'), port, durable: true, more: small(64) }, programs);
    try {
      await begin();
      const filler = await connectRoot();
      await filler.query('CREATE DATABASE IF NOT EXISTS filler');
      await filler.query('CREATE TABLE IF NOT EXISTS filler.t (b LONGBLOB)');
      await under(async () => {
        let refusal: string | undefined;
        filler.on('error', () => {});
        for (let i = 0; i < 200 && !refusal; i++)
          await filler.query("INSERT INTO filler.t VALUES (REPEAT('x', 1000000))").catch((error: { errno?: number; code?: string }) => {
            refusal = String(error.errno ?? error.code ?? 'lost');
          });
        expect(refusal).toBeDefined(); // 1114, the table is full; or the server has died of it
        const before = load.counts.placed;
        await sleep(3_000);
        filler.destroy();
        await mariadb.stop('SIGKILL');
        mariadb = await startMariadb({ directory: path.join(directory, 'mariadb-small'), port, durable: true, more: small(512) }, programs); // a larger disk
        expect(load.counts.placed).toBeGreaterThanOrEqual(before);
      });
      await agree();
    } finally {
      await Promise.all([api, ...schedulers].map((child) => child.stop('SIGKILL')));
      await mariadb.stop('SIGKILL');
      mariadb = await startDatabase();
    }
  });

  it('Redis is killed, emptied and paused', async () => {
    await begin();
    await under(async () => {
      for (let i = 0; i < 10; i++) {
        const client = launch(
          ['-e', `const s=require('net').connect(${redis.port},'127.0.0.1');s.write('FLUSHALL\\r\\n');s.once('data',()=>process.exit(0))`],
          {},
        );
        await client.ended;
        await sleep(50);
      }
      redis.child.kill('SIGSTOP');
      await sleep(2_500);
      redis.child.kill('SIGCONT');
      await sleep(300);
      await redis.stop('SIGKILL');
      await sleep(1_500);
      redis = await startRedis({ directory: path.join(directory, 'redis'), port: redis.port }, programs);
    });
    await agree();
  });

  it('clocks ten minutes off, one process ahead and one behind: leases, due times and signatures hold', async () => {
    await begin();
    await Promise.all([api, ...schedulers].map((child) => child.stop('SIGKILL')));
    const skewed = (ms: number) => ({ NODE_OPTIONS: `--import ${path.join(root, 'test', 'support', 'skew.mjs')}`, CLOCK_SKEW_MS: String(ms) });
    const env = {
      ...environment(sandbox.url, `mysql://lunchbox:lunchbox@127.0.0.1:${mariadb.port}/faults`, redis.url),
      LEASE_MS: '2000',
      RATE_LIMIT_USER_PER_MINUTE: '1000000',
    };
    [api, ...schedulers] = await Promise.all([
      startApi({ ...env, ...skewed(-600_000) }),
      startScheduler({ ...env, ...skewed(600_000) }),
      startScheduler({ ...env, ...skewed(-600_000) }),
    ]);
    sandbox.faults.useChance({ seed: 5, probability: 0.05 });
    await under(() => sleep(4_000));
    sandbox.faults.clear();
    await agree();
  });
});

describe('a zombie', () => {
  it('a scheduler that froze within a transaction keeps its locks for ten seconds, and no longer', async () => {
    const sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
    const url = await emptyDatabase('mariadb');
    const database = await Database.open({ url });
    await migrate(database);
    const env = environment(sandbox.url, url, inject('redisUrl'));
    await database.transaction((tx) =>
      record(tx, consumptionSync, { recordNo: 'Z1', userId: 'z', amountInCent: 100, canteen: 'A', consumedAt: '2031-07-07T04:00:00Z' }),
    );
    const frozen = await startScheduler({ ...env, CRASH_AT: 'in-settle', CRASH_SIGNAL: 'SIGSTOP' });
    const row = async () => (await database.query<{ status: string; attempt: number }>(sql`SELECT status, attempt FROM outbox_event`))[0];
    await expect.poll(() => sandbox.ledger.books.consumptions.length, { timeout: 10_000 }).toBe(1); // told, and about to be settled
    const other = await startScheduler(env);
    const startedMs = performance.now();
    await expect.poll(async () => (await row())?.status, { timeout: 25_000, interval: 100 }).toBe('handled');
    expect((await row())?.attempt).toBeGreaterThan(1);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(sandbox.ledger.books.consumptions).toHaveLength(1);
    await Promise.all([frozen.stop('SIGKILL'), other.stop('SIGKILL')]);
    await database.close();
    await sandbox.close();
  }, 60_000);

  it('a scheduler that was stopped past its lease wakes up, and writes nothing', async () => {
    const sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
    const url = await emptyDatabase('mariadb');
    const database = await Database.open({ url });
    await migrate(database);
    const env = { ...environment(sandbox.url, url, inject('redisUrl')), MEICAN_TIMEOUT_MS: '20000', LEASE_MS: '1000' };
    const api = await startApi(env);
    await putMenu(
      database,
      { garden: 'g', date, mealType: 'LUNCH' },
      {
        corp: 'c',
        cutoffAt: new Date(`${date}T02:30:00Z`),
        dishes: [{ meicanDishId: '100', name: 'dish', priceInCent: 1000, stock: 10 }],
        sideboards: [{ location: 'L', addressId: 'A', capacity: 10 }],
      },
    );
    const menu = await getMenu(database, { garden: 'g', date, mealType: 'LUNCH' });
    sandbox.faults.add([{ call: 'meican.addOrder', kind: 'latency', ms: 1_500, times: 1 }]);
    const zombie = await startScheduler(env);
    const body = { garden: 'g', meals: [{ dishId: menu.dishes[0]?.id, sideboardId: menu.sideboards[0]?.id, edibleDate: date, mealType: 'LUNCH' }] };
    expect((await call(`${api.url}/v1/orders`, 'POST', { sub: 'z', key: 'k', body })).status).toBe(201);
    const running = () =>
      database.query<{ claimed_by: string }>(sql`SELECT claimed_by FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER' AND lease_until IS NOT NULL`);
    await expect.poll(async () => (await running()).length, { timeout: 10_000, interval: 10 }).toBe(1);
    zombie.process.kill('SIGSTOP'); // in the middle of its call: the vendor does it, and the answer waits in the socket
    const other = await startScheduler(env);
    const event = async () =>
      (await database.query<{ status: string; attempt: number }>(sql`SELECT status, attempt FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER'`))[0];
    await expect.poll(async () => (await event())?.status, { timeout: 15_000 }).toBe('handled');
    const settled = await event();
    zombie.process.kill('SIGCONT');
    await expect.poll(() => zombie.output(), { timeout: 10_000 }).toContain('lease lost: nothing was written');
    expect(await event()).toEqual(settled);
    const attempts = await database.query<{ error_code: string | null; outcome: string }>(
      sql`SELECT a.error_code, a.outcome FROM event_attempt a JOIN outbox_event e ON e.id = a.event_id WHERE e.type = 'MEICAN_NEW_V2_ORDER' ORDER BY a.number`,
    );
    expect(attempts[0]).toMatchObject({ error_code: 'interrupted', outcome: 'unknown' });
    expect(attempts.at(-1)).toMatchObject({ error_code: null, outcome: 'applied' });
    expect(sandbox.ledger.books.meicanOrders).toHaveLength(1);
    await Promise.all([api.stop('SIGKILL'), zombie.stop('SIGKILL'), other.stop('SIGKILL')]);
    await database.close();
    await sandbox.close();
  });
});
