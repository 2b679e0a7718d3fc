import type { FastifyInstance } from 'fastify';
import { version } from '../base/version.js';
import { consoleRoutes } from '../console/index.js';
import { Database } from '../database/database.js';
import { booksCompare } from '../handlers/books-compare.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { housekeeping } from '../handlers/housekeeping.js';
import { createAuthenticate } from '../http/auth.js';
import { AuthFailures } from '../http/failures.js';
import { booksRoutes } from '../http/routes/books.js';
import { causeRoutes } from '../http/routes/causes.js';
import { complaintRoutes } from '../http/routes/complaints.js';
import { consumptionRoutes } from '../http/routes/consumptions.js';
import { controlRoutes } from '../http/routes/controls.js';
import { eventBatchRoutes } from '../http/routes/event-batches.js';
import { eventRoutes } from '../http/routes/events.js';
import { fulfilmentRoutes } from '../http/routes/fulfilments.js';
import { healthRoutes } from '../http/routes/health.js';
import { menuRoutes } from '../http/routes/menus.js';
import { orderTokenRoutes } from '../http/routes/order-tokens.js';
import { orderRoutes } from '../http/routes/orders.js';
import { problemPage } from '../http/routes/problem-page.js';
import { createServer } from '../http/server.js';
import { OrderTokens } from '../orders/order-token.js';
import { beat } from '../outbox/heartbeat.js';
import type { Logger } from './logging.js';
import { startMetrics } from './metrics-port.js';
import { complaintRules, fulfilmentWindows, meicanSettleMs, type Runtime } from './runtime.js';
import { BOOKS_CRON, HOUSEKEEPING_CRON } from './scheduler-part.js';
import { watchPollers } from './watch-pollers.js';

const READING_POOL_SIZE = 2;
const READING_TIMEOUT_MS = 2_000;

/** The HTTP server with all routes, not yet listening. */
export async function createApp(
  runtime: Runtime,
  logger: Logger,
  givenReading?: Database,
): Promise<FastifyInstance> {
  const { settings, database, outbox, locks, numbers, clients, metrics } = runtime;
  const authenticate = createAuthenticate({
    secret: settings.AUTH_JWT_SECRET,
    jwksUrl: settings.AUTH_JWKS_URL,
    issuer: settings.AUTH_ISSUER,
    audience: settings.AUTH_AUDIENCE,
    failures: new AuthFailures(settings.AUTH_FAILURES_PER_MINUTE, runtime.redis[0] ?? null),
  });
  const app = await createServer({
    logger,
    authenticate,
    observe: metrics.request,
    docsOpen: settings.DOCS_OPEN,
    readOnly: settings.READ_ONLY,
    trustedProxies: settings.TRUSTED_PROXIES,
    rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    rateLimitUserPerMinute: settings.RATE_LIMIT_USER_PER_MINUTE,
  });
  const inlineBudgetMs = settings.INLINE_BUDGET_MS;
  await app.register(healthRoutes, { database, metrics });
  await app.register(problemPage);
  await app.register(menuRoutes, { database });
  const tokens = createTokens(runtime);
  if (settings.ORDER_TOKEN !== 'off') await app.register(orderTokenRoutes, { tokens });
  await app.register(orderRoutes, {
    database,
    outbox,
    locks,
    numbers,
    tokens,
    inlineBudgetMs,
    energy: clients.energy,
    clock: runtime.clock,
    paymentWindowMs: settings.PAYMENT_WINDOW_MS,
    payTimeoutMs: settings.ENERGY_TIMEOUT_MS,
  });
  await app.register(fulfilmentRoutes, { database, windows: fulfilmentWindows(settings) });
  const rules = complaintRules(settings);
  await app.register(complaintRoutes, { database, rules });
  await app.register(consumptionRoutes, { database, outbox, inlineBudgetMs });
  await app.register(eventRoutes, { database, outbox });
  await app.register(eventBatchRoutes, { database });
  await app.register(controlRoutes, { database, outbox });
  await app.register(causeRoutes, { database });
  await app.register(consoleRoutes, {
    database,
    reading: givenReading ?? (await openReading(runtime, app)),
    outbox,
    authenticate,
    environment: process.env.NODE_ENV ?? 'development',
    readOnly: settings.READ_ONLY,
    secureCookies: settings.PUBLIC_URL.startsWith('https:'),
    linkPrefix: settings.CONSOLE_PREFIX,
    schedulerCron: settings.SCHEDULER_CRON,
    batchSize: settings.SCHEDULER_BATCH_SIZE,
    complaints: rules,
    recurring: {
      books: { definition: booksCompare, cron: BOOKS_CRON },
      housekeeping: { definition: housekeeping, cron: HOUSEKEEPING_CRON },
      unpaid: { type: energyRollback.type },
    },
    traceLink: settings.TRACE_LINK,
    logLink: settings.LOG_LINK,
  });
  await app.register(booksRoutes, {
    database,
    meican: clients.meican,
    energy: clients.energy,
    settleMs: meicanSettleMs(settings),
  });
  return app;
}

/** With keys of an issuer there is no secret for tokens to be signed with; the energy center's is shared by all processes, too. */
function createTokens({ settings, redis, clock }: Runtime): OrderTokens {
  return new OrderTokens({
    mode: settings.ORDER_TOKEN,
    ttlMs: settings.ORDER_TOKEN_TTL_MS,
    secret: settings.AUTH_JWT_SECRET ?? settings.ENERGY_APP_SECRET,
    redis: redis[0] ?? null,
    clock,
  });
}

/** The console looks through two connections of its own, and no look may take longer than two seconds; SQLite has one connection for all. */
async function openReading({ settings, database }: Runtime, app: FastifyInstance): Promise<Database> {
  if (database.dialect.name === 'sqlite') return database;
  const reading = await Database.open({
    url: settings.DATABASE_URL,
    poolSize: READING_POOL_SIZE,
    statementTimeoutMs: 2 * READING_TIMEOUT_MS,
    serverLimitMs: READING_TIMEOUT_MS,
  });
  app.addHook('onClose', () => reading.close());
  return reading;
}

/** Starts serving; resolves to the URL and the way to stop. `beats` false: another part of this process says that it lives. */
export async function startApi(
  runtime: Runtime,
  logger: Logger,
  { beats = true } = {},
): Promise<{ url: string; stop(): Promise<void> }> {
  const { settings } = runtime;
  if (!settings.AUTH_JWT_SECRET && !settings.AUTH_JWKS_URL)
    logger.warn(
      'neither AUTH_JWT_SECRET nor AUTH_JWKS_URL is set: every request but /livez and /readyz is refused',
    );
  const app = await createApp(runtime, logger);
  const stopWatching = watchPollers(runtime.outbox, logger);
  const heart = beats
    ? beat(runtime.outbox, 'api', version, (err) =>
        logger.warn({ err }, 'the heartbeat could not be written'),
      )
    : undefined;
  const url = await app.listen({ host: settings.HOST, port: settings.PORT });
  const metrics =
    settings.METRICS_PORT === undefined ? undefined : await startMetrics(runtime, settings.METRICS_PORT);
  return {
    url,
    async stop() {
      stopWatching();
      await app.close();
      await metrics?.close();
      await runtime.outbox.drain(settings.SHUTDOWN_TIMEOUT_MS / 2);
      await heart?.stop();
    },
  };
}
