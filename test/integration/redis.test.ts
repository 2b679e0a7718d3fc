import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
// @ts-expect-error plain JavaScript, shared with the benchmarks
import { findPrograms, startRedis } from '../../scripts/servers.mjs';
import { createLogger } from '../../src/app/logging.js';
import { connectRedis, readyWithin } from '../../src/app/redis.js';
import { sql } from '../../src/database/sql.js';
import { LocalLocks, RedisLocks } from '../../src/orders/lock.js';
import { freePort } from '../support/free-port.js';
import { Kit } from '../support/kit.js';

interface Server {
  url: string;
  port: number;
  directory: string;
  stop(signal?: string): Promise<void>;
}

const start = async (port?: number): Promise<Server> => {
  const at = port ?? (await freePort());
  return startRedis({ port: at, directory: path.join(inject('directory'), `redis-${at}`) }, findPrograms());
};

describe('with Redis', () => {
  let redis: Server;
  let kit: Kit;
  let menu: Awaited<ReturnType<Kit['menu']>>;

  beforeAll(async () => {
    redis = await start();
    kit = await Kit.create('mariadb', { REDIS_URLS: redis.url });
    menu = await kit.menu({ stock: 500, capacity: 500 });
  });
  afterAll(async () => {
    await kit.close();
    await redis.stop('SIGKILL');
  });

  it('order numbers are the day and a running number', async () => {
    const numbers = [await kit.ordered(menu, 'n1'), await kit.ordered(menu, 'n2')].map(
      (order) => order.orderNo,
    );
    expect(numbers[0]).toMatch(/^\d{8}0000001$/);
    expect(Number(numbers[1])).toBe(Number(numbers[0]) + 1);
  });

  it('somebody else’s lock on the person is a clean 409 order-busy with Retry-After', async () => {
    const client = kit.runtime.redis[0];
    await client?.set('lunchbox:lock:user:busy1', 'somebody', 'PX', 5_000);
    const answer = await kit.order(menu, 'busy1');
    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
      409,
      'order-busy',
      '1',
    ]);
    await client?.del('lunchbox:lock:user:busy1');
    expect((await kit.order(menu, 'busy1')).status).toBe(201);
  });

  it('a Redis that lost its memory never yields a duplicate number', async () => {
    await kit.runtime.redis[0]?.flushall();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => kit.order(menu, `flush${i}`)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(201));
    const [row] = await kit.database.query<{ n: unknown; d: unknown }>(
      sql`SELECT COUNT(*) AS n, COUNT(DISTINCT order_no) AS d FROM box_order`,
    );
    expect(Number(row?.n)).toBe(Number(row?.d));
  });

  it('Redis down: orders and cancels go on, counted; back again: locks are taken again', async () => {
    await redis.stop('SIGKILL');
    const startedMs = performance.now();
    const order = await kit.ordered(menu, 'down1');
    expect(order.status).toBe('ORDERED');
    expect((await kit.cancel(order.id, 'down1')).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    // The same guarantees without the lock: ten at once for one person are one order.
    const answers = await Promise.all(Array.from({ length: 10 }, () => kit.order(menu, 'down2')));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    // Twenty cancels at once give one box and one refund back.
    const once = await kit.ordered(menu, 'down3');
    const stock = await kit.stockOf(menu);
    const cancels = await Promise.all(Array.from({ length: 20 }, () => kit.cancel(once.id, 'down3')));
    expect(cancels.every((answer) => answer.status === 200 || answer.status === 202)).toBe(true);
    expect(await kit.stockOf(menu)).toEqual({ dish: stock.dish + 1, sideboard: stock.sideboard + 1 });
    expect(kit.balanceOf('down3')).toBe(100_000);
    const metrics = (await kit.runtime.metrics.scrape())
      .split('\n')
      .filter((line) => line.startsWith('lunchbox_lock_failures_total'))
      .join('\n');
    expect(Number(/_total (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3);
    redis = await start(redis.port);
    const client = kit.runtime.redis[0];
    if (client) expect(await readyWithin(client, 5_000)).toBe(true);
    expect((await kit.order(menu, 'back1')).status).toBe(201);
    await client?.set('lunchbox:lock:user:back2', 'somebody', 'PX', 5_000);
    expect((await kit.order(menu, 'back2')).body.code).toBe('order-busy');
  });

  it('a commit in one process wakes the schedulers of another', async () => {
    const other = await Kit.create('sqlite', { REDIS_URLS: redis.url });
    const woken = new Promise<void>((resolve) => other.runtime.onWake(resolve));
    // The subscription is up when Redis knows of it.
    await expect
      .poll(async () => (await kit.runtime.redis[0]?.pubsub('NUMSUB', 'lunchbox:wake'))?.[1], {
        timeout: 5_000,
      })
      .toBe(1);
    await kit.order(menu, 'wake1');
    await woken;
    await other.close();
  });
});

describe('a quorum of three', () => {
  it('locks with one node down, goes on without with two', async () => {
    const servers = [await start(), await start(), await start()];
    const logger = createLogger('silent', 'test');
    const clients = servers.map((server) => connectRedis(server.url, logger));
    await Promise.all(clients.map((client) => readyWithin(client, 2_000)));
    let unavailable = 0;
    const locks = new RedisLocks(clients, { unavailable: () => (unavailable += 1), available: () => {} });
    const contended = () =>
      locks.withLock(['k'], () =>
        locks.withLock(['k'], async () => 'both').catch((error: { code: string }) => error.code),
      );
    expect(await contended()).toBe('order-busy');
    await servers[0]?.stop('SIGKILL');
    expect(await contended()).toBe('order-busy');
    expect(unavailable).toBe(0);
    await servers[1]?.stop('SIGKILL');
    expect(await contended()).toBe('both');
    expect(unavailable).toBe(2);
    for (const client of clients) client.disconnect();
    await servers[2]?.stop('SIGKILL');
  });

  it('a lock is extended while its work lasts, and its loss breaks nothing', async () => {
    const server = await start();
    const client = connectRedis(server.url, createLogger('silent', 'test'));
    await readyWithin(client, 2_000);
    const locks = new RedisLocks([client], { unavailable: () => {}, available: () => {} });
    const result = await locks.withLock(['k'], async () => {
      await server.stop('SIGKILL');
      return 'kept';
    });
    expect(result).toBe('kept');
    client.disconnect();
  });
});

it('an outage of Redis is one line in the log, and its end another', async () => {
  const server = await start();
  const lines: string[] = [];
  const logger = {
    warn: (_fields: unknown, text: string) => lines.push(text),
    info: (text: string) => lines.push(text),
  } as unknown as Parameters<typeof connectRedis>[1];
  const client = connectRedis(server.url, logger);
  await readyWithin(client, 2_000);
  let errors = 0;
  client.on('error', () => {
    errors += 1;
  });
  await server.stop('SIGKILL');
  await expect.poll(() => errors, { timeout: 10_000 }).toBeGreaterThan(3);
  const again = await start(server.port);
  await readyWithin(client, 5_000);
  expect(lines).toEqual(['Redis is away: requests go on without locks', 'Redis is back']);
  client.disconnect();
  await again.stop('SIGKILL');
});

describe('in-process locks', () => {
  it('exclude each other by any shared key, in any order', async () => {
    const locks = new LocalLocks();
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([
      locks.withLock(['a', 'b'], work),
      locks.withLock(['b', 'a'], work),
      locks.withLock(['b', 'c'], work),
    ]);
    expect(most).toBe(1);
  });
});
