/**
 * `npm run test:crash -- --minutes 10 [--seed 1]`: real processes, real MariaDB and Redis, random SIGKILL and SIGSTOP of all of them under load,
 * vendors that misbehave by chance; then quiet, then the books. Exits 1 if anything is lost, doubled or stuck.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
// @ts-expect-error plain JavaScript
import { ensureBuilt } from '../../scripts/ensure-built.mjs';
// @ts-expect-error plain JavaScript
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { fromSqlInstant, sql } from '../../src/database/sql.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { sandboxSecrets } from '../../src/sandbox/defaults.js';
import { mulberry32 } from '../../src/sandbox/faults.js';
import { Sandbox } from '../../src/sandbox/server.js';
import { Load, sleep } from '../support/load.js';
import { type Child, dist, environment, launch } from '../support/processes.js';

interface Server {
  url: string;
  port: number;
  stop(signal?: string): Promise<void>;
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 100_000) } } });
const MINUTES = Number(values.minutes);
const SEED = Number(values.seed);
const LEASE_MS = 2_000;
const CLIENTS = 12;
const date = '2031-06-06';
const meals = ['BREAKFAST', 'LUNCH', 'DINNER'] as const;
const random = mulberry32(SEED);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

ensureBuilt();
const programs = findPrograms();
const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-crash-'));
const startDatabase = async (port: number): Promise<Server> => startMariadb({ directory: path.join(directory, 'mariadb'), port, durable: true }, programs);
let mariadb = await startDatabase(await freePort());
let redis: Server = await startRedis({ directory: path.join(directory, 'redis'), port: await freePort() }, programs);
const sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
const setup = await mysql.createConnection(mariadb.url);
await setup.query('CREATE DATABASE campaign CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
await setup.end();
const database = await Database.open({ url: `${mariadb.url}campaign`, statementTimeoutMs: 5_000 });
await migrate(database);

const env = {
  ...environment(sandbox.url, `${mariadb.url}campaign`, redis.url),
  LOG_LEVEL: 'error',
  LEASE_MS: String(LEASE_MS),
  PAYMENT_WINDOW_MS: '6000',
  RETRY_LIMIT: '30',
  MEICAN_SETTLE_MS: '2000',
  RATE_LIMIT_USER_PER_MINUTE: '1000000',
};
interface Slot {
  readonly name: 'api' | 'scheduler';
  readonly port: number;
  child: Child;
}
const spawnSlot = (name: 'api' | 'scheduler', port: number): Child => launch([dist(name)], { ...env, PORT: String(port) });
const slots: Slot[] = [];
for (const name of ['api', 'api', 'scheduler', 'scheduler', 'scheduler'] as const) {
  const port = await freePort();
  slots.push({ name, port, child: spawnSlot(name, port) });
}

const dishes = 6;
for (const mealType of meals) {
  await putMenu(
    database,
    { garden: 'g', date, mealType },
    {
      corp: 'c',
      cutoffAt: new Date(`${date}T02:30:00Z`),
      dishes: Array.from({ length: dishes }, (_, i) => ({ meicanDishId: String(100 + i), name: `dish ${i}`, priceInCent: 1000 + i, stock: 100_000 })),
      sideboards: [{ location: 'L', addressId: 'A', capacity: 1_000_000 }],
    },
  );
}
const menus = await Promise.all(meals.map((mealType) => getMenu(database, { garden: 'g', date, mealType })));

const deadlineMs = Date.now() + MINUTES * 60_000;
const kills: { pid: number; atMs: number }[] = [];
const counts = { killed: 0, stopped: 0, databases: 0, redises: 0 };
const load = new Load({
  apis: () => slots.filter((slot) => slot.name === 'api').map((slot) => `http://127.0.0.1:${slot.port}`),
  menus,
  date,
  random,
  pauseMs: 150,
});

/** Kills, and stops past the lease, whatever chance picks. What dies is started again at once. */
async function chaos(): Promise<void> {
  while (Date.now() < deadlineMs) {
    await sleep(300 + random() * 1_200);
    const dice = random();
    if (dice < 0.04) {
      counts.databases += 1;
      await mariadb.stop('SIGKILL');
      mariadb = await startDatabase(mariadb.port);
    } else if (dice < 0.09) {
      counts.redises += 1;
      await redis.stop('SIGKILL');
      redis = await startRedis({ directory: path.join(directory, 'redis'), port: redis.port }, programs);
    } else if (dice < 0.25) {
      const { child } = pick(slots);
      counts.stopped += 1;
      child.process.kill('SIGSTOP');
      await sleep(LEASE_MS + 500);
      child.process.kill('SIGCONT');
    } else {
      const slot = pick(slots);
      kills.push({ pid: slot.child.process.pid ?? 0, atMs: Date.now() });
      await slot.child.stop('SIGKILL');
      counts.killed += 1;
      slot.child = spawnSlot(slot.name, slot.port);
    }
  }
}

/** A child that could not start while its database was away is started again. */
async function nurse(): Promise<void> {
  while (Date.now() < deadlineMs + 60_000 && !done) {
    for (const slot of slots) if (slot.child.process.exitCode !== null) slot.child = spawnSlot(slot.name, slot.port);
    await sleep(500);
  }
}

let done = false;
sandbox.faults.useChance({ seed: SEED, probability: 0.04 });
console.log(`crash campaign: ${MINUTES} min, seed ${SEED}, ${CLIENTS} clients, lease ${LEASE_MS} ms`);
const nursing = nurse();
await Promise.all([chaos(), ...Array.from({ length: CLIENTS }, (_, i) => load.client(`d${i}`, () => Date.now() < deadlineMs))]);
sandbox.faults.clear();
console.log(`quiet: ${JSON.stringify({ ...counts, ...load.counts })}`);
const rested = await load.rest(database, 120_000);
done = true;
await nursing;
const violations = rested ? [] : ['events are still pending after two minutes of quiet'];
violations.push(...(await load.violations(database, sandbox.ledger.books)));

const gaps = await database.query<{ worker: string; began: unknown }>(sql`
  SELECT a.worker, b.started_at AS began FROM event_attempt a JOIN event_attempt b ON b.event_id = a.event_id AND b.number = a.number + 1 WHERE a.error_code = 'interrupted'`);
const recoveries = gaps
  .map(({ worker, began }) => {
    const kill = kills.find(({ pid, atMs }) => worker.includes(`-${pid}-`) && atMs <= fromSqlInstant(began).getTime());
    return kill ? fromSqlInstant(began).getTime() - kill.atMs : null;
  })
  .filter((ms) => ms !== null)
  .sort((a, b) => a - b);
const quantile = (q: number): number | string => recoveries[Math.min(recoveries.length - 1, Math.floor(recoveries.length * q))] ?? '–';
console.log(`recovery (kill → running elsewhere): ${recoveries.length} seen, median ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, lease ${LEASE_MS} ms`);
for (const violation of violations.slice(0, 30)) console.log(`VIOLATION ${violation}`);
console.log(
  `${counts.killed + counts.databases + counts.redises} kills, ${counts.stopped} stops, ${load.counts.placed} orders, ${load.counts.cancelled} cancels, ${violations.length} violations`,
);

await Promise.all(slots.map((slot) => slot.child.stop('SIGKILL')));
await database.close();
await sandbox.close();
await mariadb.stop('SIGKILL');
await redis.stop('SIGKILL');
rmSync(directory, { recursive: true, force: true });
process.exit(violations.length > 0 ? 1 : 0);
