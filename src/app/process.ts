import closeWithGrace from 'close-with-grace';
import { hider } from '../base/hide.js';
import { createLogger, type Logger } from './logging.js';
import { isAway } from './open-database.js';
import {
  type LoadOptions,
  loadSettings,
  maskedSettings,
  type Settings,
  SettingsInvalid,
  secretValues,
} from './settings.js';

export interface Part {
  /** Told of nothing else: stops taking work, finishes or hands back what it has, closes what it opened. */
  stop(): Promise<void>;
}

/**
 * The frame of a process: settings or exit 1 with all that is wrong at once; then `start`; SIGTERM drains and exits 0 within
 * SHUTDOWN_TIMEOUT_MS, a second one exits at once.
 */
export async function runProcess(
  name: string,
  options: Omit<LoadOptions, 'env'>,
  start: (settings: Settings, logger: Logger) => Promise<Part>,
): Promise<void> {
  let settings: Settings;
  try {
    settings = loadSettings({ env: process.env, ...options });
  } catch (error) {
    if (!(error instanceof SettingsInvalid)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
  const logger = createLogger(settings.LOG_LEVEL, name);
  logger.info({ settings: maskedSettings(settings) }, 'starting');
  let part: Part | undefined;
  closeWithGrace(
    {
      delay: settings.SHUTDOWN_TIMEOUT_MS,
      logger: { error: (message?: unknown) => logger.error({ err: message }, 'shutting down') },
    },
    async ({ err, signal }) => {
      if (err) logger.fatal({ err }, 'an error that nobody caught');
      const startedMs = performance.now();
      await part?.stop();
      logger.info({ signal, duration_s: Math.round(performance.now() - startedMs) / 1000 }, 'stopped');
    },
  );
  try {
    part = await start(settings, logger);
  } catch (error) {
    process.stderr.write(`${name}: cannot start: ${startHint(error as NodeJS.ErrnoException, settings)}\n`);
    logger.debug({ err: error }, 'cannot start');
    process.exit(1);
  }
}

/** What to do, rather than a stack. */
function startHint(
  error: NodeJS.ErrnoException & { port?: number; address?: string },
  settings: Settings,
): string {
  if (error.code === 'EADDRINUSE') {
    const setting =
      error.port === settings.SANDBOX_PORT
        ? 'SANDBOX_PORT'
        : error.port === settings.METRICS_PORT
          ? 'METRICS_PORT'
          : 'PORT';
    return `port ${error.port} is taken; set ${setting} to another one`;
  }
  if (error.code === 'EACCES') return `no permission: ${error.message}`;
  if (isAway(error)) return `the database does not answer (${error.code}); check DATABASE_URL`;
  return hider(secretValues(settings))(`${error.code ? `${error.code}: ` : ''}${error.message}`);
}
