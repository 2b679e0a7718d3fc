import { createLogger } from '../app/logging.js';
import { connectRedis } from '../app/redis.js';
import { doubtAll } from '../operate/doubt.js';
import { heartbeats } from '../operate/health.js';
import { createOrderNumbers } from '../orders/number.js';
import { say } from './print.js';
import { actOf, exit, Stop, settingsFor, withDatabase } from './shared.js';

/** More than a day's orders of any canteen. */
const NUMBERS_SKIPPED = 100_000;

/** Marks what is pending as in doubt and skips order numbers, so that nothing of a restored database is done or given out twice. */
export async function afterRestore(options: { reason: string; as: string }): Promise<void> {
  const settings = settingsFor('REDIS_URLS');
  const redis = settings.REDIS_URLS.map((url) => connectRedis(url, createLogger('silent', 'cli')));
  try {
    await withDatabase(async (database) => {
      if ((await heartbeats(database)).some(({ state }) => state === 'alive'))
        throw new Stop(
          exit.conflict,
          'a process (api or scheduler) is running on this database, or was within the last 45 s: stop all of them first',
        );
      const doubted = await doubtAll(database, actOf(options));
      await createOrderNumbers(database, redis[0] ?? null).skip(NUMBERS_SKIPPED, await database.now());
      say(
        `${doubted} pending events will ask their vendor before they repeat anything; ${NUMBERS_SKIPPED} order numbers of today are skipped`,
      );
      say('next: start one scheduler, then `books repair --day …` for yesterday, today and tomorrow');
    });
  } finally {
    for (const client of redis) client.disconnect();
  }
}
