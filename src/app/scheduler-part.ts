import cron, { type ScheduledTask, setLogger } from 'node-cron';
import { businessDay } from '../base/clock.js';
import { version } from '../base/version.js';
import { booksCompare } from '../handlers/books-compare.js';
import { housekeeping } from '../handlers/housekeeping.js';
import { beat } from '../outbox/heartbeat.js';
import { Poller } from '../outbox/poll.js';
import { record } from '../outbox/record.js';
import type { Logger } from './logging.js';
import type { Runtime } from './runtime.js';

/** Hourly: yesterday's, today's and tomorrow's books against the vendors'. */
export const BOOKS_CRON = '11 37 * * * *';
export const HOUSEKEEPING_CRON = '23 7 * * * *';
const LOOK_AHEAD_MS = 15_000;
const DAY_MS = 86_400_000;

/** Sweeps, wakes and keeps house; resolves to the way to stop. */
export async function startScheduler(
  runtime: Runtime,
  logger: Logger,
): Promise<{ poller: Poller; stop(): Promise<void> }> {
  const { settings, outbox } = runtime;
  setLogger({
    info: () => {},
    debug: () => {},
    warn: (message) => logger.warn({ source: 'node-cron' }, String(message)),
    error: (message) => logger.error({ source: 'node-cron', err: message }, 'node-cron'),
  });
  const heart = beat(outbox, 'scheduler', version, (err) =>
    logger.warn({ err }, 'the heartbeat could not be written'),
  );
  const poller = new Poller(outbox, {
    cron: settings.SCHEDULER_CRON,
    lookAheadMs: LOOK_AHEAD_MS,
    look: heart.look,
  });
  runtime.onWake(() => poller.wake());
  const tasks: ScheduledTask[] = [
    cron.schedule(BOOKS_CRON, () => compareBooks(runtime, logger), { name: 'books', noOverlap: true }),
    cron.schedule(HOUSEKEEPING_CRON, () => keepHouse(runtime, logger), {
      name: 'housekeeping',
      noOverlap: true,
    }),
  ];
  poller.start();
  return {
    poller,
    async stop() {
      for (const task of tasks) await task.destroy();
      await poller.stop();
      await outbox.drain(settings.SHUTDOWN_TIMEOUT_MS / 2);
      await heart.stop();
    },
  };
}

/** Any number of schedulers record it; the dedupe key lets one through. */
export async function compareBooks(
  { database }: Pick<Runtime, 'database'>,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  try {
    const nowMs = (await database.now()).getTime();
    const slot = new Date(nowMs).toISOString().slice(0, 13);
    for (const offset of [-1, 0, 1])
      await database.transaction((tx) =>
        record(tx, booksCompare, { day: businessDay(nowMs + offset * DAY_MS), slot }),
      );
  } catch (error) {
    logger.error(
      { err: error },
      'the comparison of the books could not be recorded; the next hour tries again',
    );
  }
}

export async function keepHouse(
  { database }: Pick<Runtime, 'database'>,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  try {
    const slot = (await database.now()).toISOString().slice(0, 13);
    await database.transaction((tx) => record(tx, housekeeping, { slot }));
  } catch (error) {
    logger.error({ err: error }, 'housekeeping could not be recorded; the next hour tries again');
  }
}
