import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
// @ts-expect-error plain JavaScript
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';
import { Database } from '../../src/database/database.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { mulberry32 } from '../../src/dev/sandbox/faults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { Load } from './load.js';
import { type Child, environment, startApi, startScheduler } from './processes.js';
import { copyMariadb } from './templates.js';
import { workFolder } from './work-folder.js';

interface Server {
  url: string;
  port: number;
  child: { kill(signal: string): boolean };
  stop(signal?: string): Promise<void>;
}

export const date = '2031-07-07';
const CLIENTS = 6;
/** What a request may take when everything it needs is away: the statement's deadline of 15 s, and a little. */
const ANSWER_MAX_MS = 18_000;
const programs = findPrograms();

/** One production for a `describe`: its servers for all tests, its database and processes for each one that begins. */
export function useProduction(): Production {
  const production = new Production(mkdtempSync(path.join(workFolder(), 'lunchbox-faults-')));
  beforeAll(() => production.open());
  afterEach(() => production.end());
  afterAll(() => production.close());
  return production;
}

/** One API and two schedulers as processes, on servers of their own, under load, while something is done to the servers. */
class Production {
  declare mariadb: Server;
  declare redis: Server;
  declare sandbox: Sandbox;
  declare root: mysql.Connection;
  declare database: Database;
  declare api: Child & { url: string };
  declare load: Load;
  schedulers: Child[] = [];

  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    await this.startDatabase(await freePort());
    await this.startRedis(await freePort());
    this.sandbox = await Sandbox.start({
      host: '127.0.0.1',
      port: 0,
      legacyMode: false,
      secrets: sandboxSecrets,
    });
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.mariadb.stop('SIGKILL');
    await this.redis.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The database server, again on its port and on what it has kept. `disk` is a folder of its own: another name is another, empty disk. */
  async startDatabase(
    port = this.mariadb.port,
    more: readonly string[] = [],
    disk = 'mariadb',
  ): Promise<void> {
    this.mariadb = await startMariadb(
      { directory: path.join(this.directory, disk), port, durable: true, more },
      programs,
    );
  }

  async startRedis(port = this.redis.port): Promise<void> {
    this.redis = await startRedis({ directory: path.join(this.directory, 'redis'), port }, programs);
  }

  async connectRoot(): Promise<mysql.Connection> {
    return mysql.createConnection(this.mariadb.url);
  }

  /** A database of its own whose user is no administrator: one who is may write to a read-only server. `each`: what the API and the schedulers have of their own. */
  async begin(
    each: readonly [api: object, scheduler: object, scheduler: object] = [{}, {}, {}],
  ): Promise<void> {
    this.root = await this.connectRoot();
    await this.root.query('DROP DATABASE IF EXISTS faults');
    await this.root.query('CREATE DATABASE faults CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
    await this.root.query("CREATE USER IF NOT EXISTS 'lunchbox'@'%' IDENTIFIED BY 'lunchbox'");
    await this.root.query("GRANT ALL ON faults.* TO 'lunchbox'@'%'");
    const url = `mysql://lunchbox:lunchbox@127.0.0.1:${this.mariadb.port}/faults`;
    await copyMariadb(inject('mariadbTemplate'), url);
    this.database = await Database.open({ url, statementTimeoutMs: 5_000 });
    const key = { garden: 'g', date, mealType: 'LUNCH' } as const;
    await putMenu(this.database, key, {
      corp: 'c',
      cutoffAt: new Date(`${date}T02:30:00Z`),
      dishes: Array.from({ length: 3 }, (_, i) => ({
        meicanDishId: String(100 + i),
        name: `dish ${i}`,
        priceInCent: 1000 + i,
        stock: 100_000,
      })),
      sideboards: [
        { location: 'L', addressId: 'A', capacity: 100_000 },
        { location: 'M', addressId: 'B', capacity: 100_000 },
      ],
    });
    const env = {
      ...environment(this.sandbox.url, url, this.redis.url),
      NODE_ENV: 'production',
      LEASE_MS: '2000',
      PAYMENT_WINDOW_MS: '4000',
      MEICAN_SETTLE_MS: '500',
      RATE_LIMIT_USER_PER_MINUTE: '1000000',
    };
    const [first, ...others] = each;
    [this.api, ...this.schedulers] = await Promise.all([
      startApi({ ...env, ...first }),
      ...others.map((more) => startScheduler({ ...env, ...more })),
    ]);
    const menus = [await getMenu(this.database, key)];
    this.load = new Load({ apis: () => [this.api.url], menus, date, random: mulberry32(1), pauseMs: 30 });
  }

  /** Orders and cancels before, during and after; then rest, and then the books. */
  async under(fault: () => Promise<void>): Promise<void> {
    let goesOn = true;
    const { load } = this;
    const clients = Array.from({ length: CLIENTS }, (_, i) => load.client(`c${i}`, () => goesOn));
    try {
      await expect.poll(() => load.counts.placed, { timeout: 60_000 }).toBeGreaterThan(10);
      await fault();
      const after = load.counts.placed + 10;
      await expect.poll(() => load.counts.placed, { timeout: 90_000, interval: 100 }).toBeGreaterThan(after); // recovered by itself
    } catch (error) {
      load.abandon();
      await Promise.allSettled(clients);
      throw error;
    }
    goesOn = false;
    await Promise.all(clients);
  }

  async agree(): Promise<void> {
    expect(await this.load.rest(this.database, 90_000)).toBe(true);
    expect(await this.load.violations(this.database, this.sandbox.ledger.books)).toEqual([]);
    expect(this.load.counts).toMatchObject({ refused: 0, unanswered: 0 });
    expect(this.load.slowestMs).toBeLessThan(ANSWER_MAX_MS);
  }

  /** Lines at error or above, of each process. */
  complaints(): { msg: string }[][] {
    return [this.api, ...this.schedulers].map((child) =>
      child
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .filter((line) => line.level === 'error' || line.level === 'fatal'),
    );
  }

  async end(): Promise<void> {
    await Promise.all([this.api, ...this.schedulers].map((child) => child.stop('SIGKILL')));
    await this.database.close();
    await this.root.end().catch(() => {});
    this.sandbox.faults.clear();
    this.sandbox.ledger.reset();
  }
}
