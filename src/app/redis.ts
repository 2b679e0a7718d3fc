import { Redis } from 'ioredis';
import type { Logger } from './logging.js';

/** Without these limits a dead Redis makes a lock hang for many seconds. */
const LIMITS = {
  maxRetriesPerRequest: 1,
  enableAutoPipelining: true, // what one turn of the loop asks is sent in one write
  enableOfflineQueue: false,
  commandTimeout: 300,
  connectTimeout: 500,
  retryStrategy: (times: number) => Math.min(times * 100, 2_000),
};

/** A client that fails fast and logs once an outage. */
export function connectRedis(url: string, logger: Logger): Redis {
  const client = new Redis(url, { ...LIMITS, lazyConnect: false });
  logOutages(client, logger);
  return client;
}

/** A client that waits for its Redis: for subscriptions, which come back by themselves. */
export function connectSubscriber(url: string): Redis {
  const client = new Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: 500,
    retryStrategy: (times) => Math.min(times * 200, 2_000),
  });
  client.on('error', () => {}); // the commands' client logs the outage
  return client;
}

/** Resolves when the client is ready, or after `ms`: a process starts without its Redis, too. */
export async function readyWithin(client: Redis, ms: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    client.once('ready', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Resolves when most of the nodes are ready, or after `ms`. */
export function untilMost(clients: readonly Redis[], ms: number): Promise<boolean> {
  if (clients.length === 0) return Promise.resolve(true);
  const most = Math.floor(clients.length / 2) + 1;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    let count = 0;
    const one = (): void => {
      if (++count < most) return;
      clearTimeout(timer);
      resolve(true);
    };
    for (const client of clients) client.status === 'ready' ? one() : client.once('ready', one);
  });
}

function logOutages(client: Redis, logger: Logger): void {
  let away = false;
  client.on('error', (error) => {
    if (!away)
      logger.warn(
        { code: (error as NodeJS.ErrnoException).code ?? 'unknown' },
        'Redis is away: requests go on without locks',
      );
    away = true;
  });
  client.on('ready', () => {
    if (away) logger.info('Redis is back');
    away = false;
  });
}
