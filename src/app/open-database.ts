import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/errors.js';
import { migrate } from '../database/migrate.js';
import type { Logger } from './logging.js';
import type { Settings } from './settings.js';

/** The way to the server, or the server itself while it starts. 1047: a node of a cluster that has not joined yet. */
const AWAY = ['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED'];
const NOT_JOINED = 1047;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** May pass by itself. A wrong password, a database that there is not, a file that is none: waiting mends none of them. */
export function isAway(error: unknown): boolean {
  const { code, errno } = error as { code?: string; errno?: number };
  return isUnavailable(error) || AWAY.includes(code ?? '') || errno === NOT_JOINED;
}

/**
 * The database with its schema up to date. While it is away, waits for it, with growing pauses and one line in the log; throws what it met when
 * START_TIMEOUT_MS are over. `onAway` is told when the wait begins.
 */
export async function openDatabase(
  settings: Pick<Settings, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'START_TIMEOUT_MS'>,
  logger: Logger,
  onAway?: () => Promise<void>,
): Promise<Database> {
  const endMs = performance.now() + settings.START_TIMEOUT_MS;
  for (let tryNo = 0; ; tryNo++) {
    try {
      const database = await openOnce(settings, logger);
      if (tryNo > 0) logger.info('the database is there');
      return database;
    } catch (error) {
      const leftMs = endMs - performance.now();
      if (!isAway(error) || leftMs <= 0) throw error;
      if (tryNo === 0) {
        logger.warn(
          { code: (error as NodeJS.ErrnoException).code, wait_s: settings.START_TIMEOUT_MS / 1_000 },
          'the database is away: waiting for it',
        );
        await onAway?.();
      }
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** Math.min(tryNo, 10), LONGEST_WAIT_MS, leftMs));
    }
  }
}

async function openOnce(
  settings: Pick<Settings, 'DATABASE_URL' | 'DATABASE_POOL_SIZE'>,
  logger: Logger,
): Promise<Database> {
  const database = await Database.open({ url: settings.DATABASE_URL, poolSize: settings.DATABASE_POOL_SIZE });
  try {
    const ran = await migrate(database);
    if (ran.length > 0) logger.info({ migrations: ran }, 'schema brought up to date');
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
