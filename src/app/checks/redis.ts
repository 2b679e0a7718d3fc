import { randomUUID } from 'node:crypto';
import { RedisLocks } from '../../orders/lock.js';
import { createLogger } from '../logging.js';
import { connectRedis, readyWithin } from '../redis.js';
import type { Settings } from '../settings.js';
import { type Check, failed, well } from './check.js';

type Client = ReturnType<typeof connectRedis>;

export async function checkRedis(settings: Settings): Promise<Check[]> {
  if (settings.REDIS_URLS.length === 0) return [well('redis', 'not configured: in-process locks')];
  const logger = createLogger('silent', 'doctor');
  const clients = settings.REDIS_URLS.map((url) => connectRedis(url, logger));
  try {
    return [await checkNodes(clients), await checkLock(clients)];
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function checkNodes(clients: readonly Client[]): Promise<Check> {
  const ready = await Promise.all(clients.map((client) => readyWithin(client, 1_000)));
  const up = ready.filter(Boolean).length;
  const detail = `${up} of ${ready.length} nodes answer`;
  const whatToDo =
    'start the missing Redis, or check REDIS_URLS; orders go on without it, with slower conflicts';
  return up === ready.length ? well('redis', detail) : failed('redis', detail, whatToDo);
}

async function checkLock(clients: Client[]): Promise<Check> {
  let isUnavailable = false;
  const locks = new RedisLocks(clients, {
    unavailable: () => {
      isUnavailable = true;
    },
    available: () => {},
  });
  await locks.withLock([`lunchbox:doctor:${randomUUID()}`], async () => {});
  return isUnavailable
    ? failed('lock', 'no lock could be taken', 'a majority of the Redis nodes must answer')
    : well('lock', 'taken and given back');
}
