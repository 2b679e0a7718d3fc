/**
 * `npm run test:drill`: what people on call rely on, with real processes. How long until they hear that no scheduler lives; that an event
 * whose worker was stopped is taken over; that an outcome nobody knows is told; and what fifty people who look at the console cost the events.
 * About six minutes. Exits 1 when a bound is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import mysql from 'mysql2/promise';
// @ts-expect-error plain JavaScript
import { ensureBuilt } from '../../scripts/ensure-built.mjs';
// @ts-expect-error plain JavaScript
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { fromSqlInstant, sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { mulberry32 } from '../../src/dev/sandbox/faults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { scales, seed } from '../../src/dev/seed.js';
import { signToken } from '../../src/http/auth.js';
import { getMenu, putMenu } from '../../src/orders/menu.js';
import { Load, sleep } from '../support/load.js';
import { environment, secret, startApi, startScheduler } from '../support/processes.js';

const SILENT_MAX_MS = 90_000;
/** The lease, the ten seconds that a frozen transaction keeps its locks, and a little. */
const TAKEN_OVER_MAX_MS = 20_000;
const UNKNOWN_MAX_MS = 60_000;
const ONLOOKERS = 50;
const ONLOOKERS_MAX = 1.05;
const ROUNDS = 5;
const ROUND_MS = 20_000;
const date = '2031-05-05';

ensureBuilt();
const programs = findPrograms();
const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-drill-'));
const mariadb = await startMariadb(
  { directory: path.join(directory, 'mariadb'), port: await freePort(), bufferPool: '1G' },
  programs,
);
const redis = await startRedis(
  { directory: path.join(directory, 'redis'), port: await freePort() },
  programs,
);
const sandbox = await Sandbox.start({
  host: '127.0.0.1',
  port: 0,
  legacyMode: false,
  secrets: sandboxSecrets,
});
const connection = await mysql.createConnection(mariadb.url);
await connection.query('CREATE DATABASE drill CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
await connection.end();
const database = await Database.open({ url: `${mariadb.url}drill`, statementTimeoutMs: 60_000 });
await migrate(database);
await seed(database, scales.big / 10, () => {}); // a table to look at
await putMenu(
  database,
  { garden: 'g', date, mealType: 'LUNCH' },
  {
    corp: 'c',
    cutoffAt: new Date(`${date}T02:30:00Z`),
    dishes: [{ meicanDishId: '100', name: 'dish', priceInCent: 1_000, stock: 100_000 }],
    sideboards: [{ location: 'L', addressId: 'A', capacity: 100_000 }],
  },
);
const menu = await getMenu(database, { garden: 'g', date, mealType: 'LUNCH' });
const env = {
  ...environment(sandbox.url, `${mariadb.url}drill`, redis.url),
  LEASE_MS: '5000',
  MEICAN_TIMEOUT_MS: '20000',
  RATE_LIMIT_USER_PER_MINUTE: '1000000',
  RATE_LIMIT_PER_MINUTE: '1000000',
};
const api = await startApi(env);
let failed = 0;
const tell = (name: string, value: number, max: number, unit: string): void => {
  if (!(value <= max)) failed += 1;
  console.log(
    `${value <= max ? 'ok  ' : 'FAIL'}  ${name}: ${value.toFixed(unit === '×' ? 2 : 0)} ${unit} (at most ${max} ${unit})`,
  );
};
const texts = (): string[] =>
  sandbox.ledger.books.robotMessages.map(
    (message) => (message.content as { markdown: { content: string } }).markdown.content,
  );
async function until(what: string, look: () => boolean | Promise<boolean>, maxMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!(await look())) {
    if (performance.now() - startedMs > maxMs) {
      console.log(`FAIL  ${what}: not within ${maxMs} ms`);
      failed += 1;
      return Number.POSITIVE_INFINITY;
    }
    await sleep(50);
  }
  return performance.now() - startedMs;
}
const one = new Load({ apis: () => [api.url], menus: [menu], date, random: mulberry32(1), pauseMs: 0 });

try {
  // 1. A worker is stopped in the middle of its call, and never goes on.
  sandbox.faults.add([{ call: 'meican.addOrder', kind: 'latency', ms: 2_000, times: 1 }]);
  const stopped = await startScheduler(env);
  let goesOn = true;
  const diner = one.client('stuck', () => goesOn);
  const claimed = async () =>
    (
      await database.query(
        sql`SELECT id FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER' AND status = 'pending' AND lease_until IS NOT NULL`,
      )
    ).length > 0;
  await until('claimed', claimed, 20_000);
  goesOn = false;
  stopped.process.kill('SIGSTOP');
  const other = await startScheduler(env);
  await diner;
  const settledIn = await until(
    'taken over',
    async () =>
      (
        await database.query(
          sql`SELECT id FROM outbox_event WHERE type = 'MEICAN_NEW_V2_ORDER' AND status = 'pending'`,
        )
      ).length === 0,
    30_000,
  );
  tell('an event whose worker was stopped is taken over and ends', settledIn, TAKEN_OVER_MAX_MS, 'ms');
  await stopped.stop('SIGKILL');

  // 2. An outcome that nobody knows is told.
  sandbox.faults.add([
    { call: 'energy.unPay', kind: 'reset-after' },
    { call: 'energy.queryRefund', kind: 'read-lag', ms: 3_600_000 },
  ]);
  let cancels = true;
  const canceller = one.client('doubt', () => cancels);
  await until('a cancel', () => one.counts.cancelled > 0, 30_000);
  cancels = false;
  await canceller;
  tell(
    'an unknown outcome is told',
    await until('told', () => texts().some((text) => text.includes('结果未知')), 60_000),
    UNKNOWN_MAX_MS,
    'ms',
  );
  sandbox.faults.clear();

  // 3. What people who look cost. Rounds alternate; end to end, from recorded to handled, of what diners cause.
  const token = await signToken(secret, { sub: 'onlooker', role: 'viewer', ttlS: 3_600 });
  const ratios: number[] = [];
  const p95Of = async (): Promise<number> => {
    const [clock] = await database.query<{ id: unknown }>(sql`SELECT MAX(id) AS id FROM outbox_event`);
    let runs = true;
    const load = new Load({
      apis: () => [api.url],
      menus: [menu],
      date,
      random: mulberry32(2),
      pauseMs: 200,
    });
    const diners = Array.from({ length: 6 }, (_, i) => load.client(`p${performance.now()}-${i}`, () => runs));
    await sleep(ROUND_MS);
    runs = false;
    await Promise.all(diners);
    await load.rest(database, 20_000);
    const rows = await database.query<{ created_at: unknown; settled_at: unknown }>(
      sql`SELECT created_at, settled_at FROM outbox_event WHERE id > ${String(clock?.id)} AND type = 'MEICAN_NEW_V2_ORDER' AND status = 'handled'`,
    );
    const times = rows
      .map((row) => fromSqlInstant(row.settled_at).getTime() - fromSqlInstant(row.created_at).getTime())
      .sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.95)] ?? 0;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await p95Of();
    let look = true;
    const onlookers = Array.from({ length: ONLOOKERS }, async (_, i) => {
      await sleep((i / ONLOOKERS) * 5_000);
      for (let tag = ''; look; await sleep(5_000)) {
        const answer = await fetch(`${api.url}/console/`, {
          headers: { cookie: `lunchbox_session=${token}`, ...(tag ? { 'if-none-match': tag } : {}) },
        });
        tag = answer.headers.get('etag') ?? tag;
        await answer.text();
      }
    });
    const watched = await p95Of();
    look = false;
    await Promise.all(onlookers);
    ratios.push(watched / alone);
    console.error(`round ${round + 1}: p95 alone ${alone} ms, with ${ONLOOKERS} onlookers ${watched} ms`);
  }
  ratios.sort((a, b) => a - b);
  tell(
    `event end to end, p95, with ${ONLOOKERS} onlookers (median of ${ROUNDS}; range ${ratios[0]?.toFixed(2)}–${ratios.at(-1)?.toFixed(2)})`,
    ratios[ROUNDS >> 1] ?? 9,
    ONLOOKERS_MAX,
    '×',
  );

  // 4. Every scheduler dies.
  const before = texts().length;
  await other.stop('SIGKILL');
  const heard = await until(
    'told that no scheduler lives',
    () =>
      texts()
        .slice(before)
        .some((text) => text.includes('没有调度进程')),
    120_000,
  );
  tell('no scheduler lives: people hear of it', heard, SILENT_MAX_MS, 'ms');
} finally {
  await api.stop('SIGKILL');
  await database.close();
  await sandbox.close();
  await mariadb.stop('SIGKILL');
  await redis.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
console.log(failed === 0 ? 'the drill went well' : `${failed} bounds were missed`);
process.exit(failed === 0 ? 0 : 1);
