import type { Redis } from 'ioredis';
import { createRaiseErrored, raiseAskedInVain, raiseVendorDown } from '../alerts/raise.js';
import { type Clock, systemClock } from '../base/clock.js';
import { hider } from '../base/hide.js';
import { EnergyClient } from '../clients/energy.js';
import { MeicanClient } from '../clients/meican.js';
import { WecomClient } from '../clients/wecom.js';
import type { Database } from '../database/database.js';
import type { FulfilmentWindows } from '../handlers/dependencies.js';
import { alertRulesOf, createHandlers } from '../handlers/index.js';
import { IDEMPOTENCY_KEEP_MS } from '../http/idempotency.js';
import type { ComplaintRules } from '../orders/complaint-rules.js';
import { LocalLocks, type Locks, RedisLocks } from '../orders/lock.js';
import { createOrderNumbers, type OrderNumbers } from '../orders/number.js';
import { Outbox, type OutboxOptions } from '../outbox/outbox.js';
import { definedOnly } from './defined-only.js';
import { type Logger, logSignals } from './logging.js';
import { createMetrics, type Metrics } from './metrics.js';
import { openDatabase } from './open-database.js';
import { connectRedis, untilMost } from './redis.js';
import { type Settings, secretValues } from './settings.js';
import { WakeUps } from './wake-ups.js';

const MEICAN_SETTLE_MARGIN_MS = 10_000;
/** A majority of the Redis nodes is waited for so long; then the process goes on without: orders need no Redis. Milliseconds. */
const REDIS_START_MS = 1_000;

export interface StartOptions {
  /** Open, and its schema up to date; otherwise the one of the settings is waited for. */
  readonly database?: Database;
  /** Told when the process has to wait for its database. */
  readonly onAway?: () => Promise<void>;
  /** The clock of payments and refunds; absent: the machine's. */
  readonly clock?: Clock;
}

export interface Runtime {
  readonly settings: Settings;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly locks: Locks;
  readonly numbers: OrderNumbers;
  readonly metrics: Metrics;
  readonly redis: readonly Redis[];
  readonly logger: Logger;
  /** Calls `listener` when this process, or another one, made events due. */
  onWake(listener: () => void): void;
  close(): Promise<void>;
}

export interface Clients {
  readonly meican: MeicanClient;
  readonly energy: EnergyClient;
  readonly wecom: WecomClient;
}

/** Everything a process needs, wired by hand: the one place that knows who depends on whom. */
export async function createRuntime(
  settings: Settings,
  logger: Logger,
  { database: given, onAway, clock = systemClock }: StartOptions = {},
): Promise<Runtime> {
  const database = given ?? (await openDatabase(settings, logger, onAway));
  const redis = settings.REDIS_URLS.map((url) => connectRedis(url, logger));
  await untilMost(redis, REDIS_START_MS);
  const clients = createClients(settings);
  const outbox = createOutbox(settings, database, clients, logger, { clock });
  const metrics = createMetrics(outbox.signals, database);
  logSignals(outbox.signals, logger);
  alertBreakers(outbox, logger);
  const locks =
    redis.length > 0
      ? new RedisLocks(redis, { unavailable: () => metrics.lockUnavailable(), available: () => {} })
      : new LocalLocks();
  const wakeUps = new WakeUps(settings.REDIS_URLS, database, redis[0]);
  return {
    settings,
    database,
    outbox,
    clients,
    clock,
    locks: timed(locks, metrics),
    numbers: createOrderNumbers(database, redis[0] ?? null),
    metrics,
    redis,
    logger,
    onWake: (listener) => wakeUps.listen(listener),
    async close() {
      await wakeUps.close();
      clients.meican.close();
      clients.energy.close();
      clients.wecom.close();
      for (const client of redis) client.disconnect();
      await database.close();
    },
  };
}

/** Tells how long each lock was waited for. */
function timed(locks: Locks, metrics: Metrics): Locks {
  return {
    withLock(keys, work) {
      return locks.withLock(keys, (grant) => {
        metrics.lockWaited(grant.waitedMs / 1000);
        return work(grant);
      });
    },
  };
}

/** "Not in the day list" is truth only so long after a doubtful call. Milliseconds. */
export function meicanSettleMs(settings: Pick<Settings, 'MEICAN_SETTLE_MS' | 'MEICAN_TIMEOUT_MS'>): number {
  return settings.MEICAN_SETTLE_MS ?? settings.MEICAN_TIMEOUT_MS + MEICAN_SETTLE_MARGIN_MS;
}

export function createClients(settings: Settings): Clients {
  const { WECOM_BASE_URL, WECOM_CORP_ID, WECOM_CORP_SECRET, WECOM_AGENT_ID } = settings;
  const application =
    WECOM_BASE_URL && WECOM_CORP_ID && WECOM_CORP_SECRET && WECOM_AGENT_ID !== undefined
      ? {
          baseUrl: WECOM_BASE_URL,
          corpId: WECOM_CORP_ID,
          corpSecret: WECOM_CORP_SECRET,
          agentId: WECOM_AGENT_ID,
        }
      : null;
  const hide = hider(secretValues(settings));
  return {
    meican: new MeicanClient({
      hide,
      baseUrl: settings.MEICAN_BASE_URL,
      corpToken: settings.MEICAN_CORP_TOKEN,
      timeoutMs: settings.MEICAN_TIMEOUT_MS,
      literals: {
        ...definedOnly(settings.MEICAN_LITERALS ?? {}),
        multiOrder: settings.MEICAN_MULTI_ORDER_CODE,
      },
    }),
    energy: new EnergyClient({
      hide,
      baseUrl: settings.ENERGY_BASE_URL,
      appId: settings.ENERGY_APP_ID,
      appSecret: settings.ENERGY_APP_SECRET,
      timeoutMs: settings.ENERGY_TIMEOUT_MS,
      ...(settings.ENERGY_CODES ? { codes: definedOnly(settings.ENERGY_CODES) } : {}),
    }),
    wecom: new WecomClient({
      webhookUrl: settings.WECOM_WEBHOOK_URL ?? null,
      application,
      timeoutMs: settings.WECOM_TIMEOUT_MS,
      hide,
    }),
  };
}

const HOUR_MS = 3_600_000;

export function fulfilmentWindows(
  settings: Pick<Settings, 'PICKUP_WINDOW_HOURS' | 'COMPLAINT_WINDOW_HOURS'>,
): FulfilmentWindows {
  return {
    pickupMs: settings.PICKUP_WINDOW_HOURS * HOUR_MS,
    complaintMs: settings.COMPLAINT_WINDOW_HOURS * HOUR_MS,
  };
}

/** How complaints are handled here. */
export function complaintRules(
  settings: Pick<
    Settings,
    'PICKUP_WINDOW_HOURS' | 'COMPLAINT_WINDOW_HOURS' | 'COMPLAINT_INSPECT_KINDS' | 'COMPLAINT_ALERT_HOURS'
  >,
): ComplaintRules {
  return {
    windows: fulfilmentWindows(settings),
    inspectKinds: settings.COMPLAINT_INSPECT_KINDS,
    alertAfterMs: settings.COMPLAINT_ALERT_HOURS * HOUR_MS,
  };
}

/** The engine with every handler, not yet doing anything. `more`: what no setting says. */
export function createOutbox(
  settings: Settings,
  database: Database,
  { meican, energy, wecom }: Clients,
  logger: Logger,
  { clock = systemClock, ...more }: Partial<OutboxOptions> & Pick<StartOptions, 'clock'> = {},
): Outbox {
  const meicanPart = {
    database,
    meican,
    settleMs: meicanSettleMs(settings),
    timeoutMs: settings.MEICAN_TIMEOUT_MS,
  };
  const handlers = createHandlers({
    meican: meicanPart,
    energy: { database, energy, clock, timeoutMs: settings.ENERGY_TIMEOUT_MS },
    wecom: {
      database,
      wecom,
      publicUrl: settings.PUBLIC_URL,
      onCallUsers: settings.ALERT_USERS,
      timeoutMs: settings.WECOM_TIMEOUT_MS,
      lastResort: (reason, text) =>
        logger.fatal({ reason, alert: text }, 'an alert could not be sent to its channel'),
    },
    fulfilment: { database, windows: fulfilmentWindows(settings) },
    complaints: { database, ...complaintRules(settings) },
    housekeeping: {
      database,
      retention: {
        keepDays: settings.EVENTS_KEEP_DAYS,
        keepExchangesDays: settings.EXCHANGES_KEEP_DAYS,
        keepAuditDays: settings.AUDIT_KEEP_DAYS,
        keepIdempotencyMs: IDEMPOTENCY_KEEP_MS,
      },
    },
  });
  return new Outbox(
    database,
    handlers,
    {
      leaseMs: settings.LEASE_MS,
      failuresMax: settings.RETRY_LIMIT,
      retryDelayMs: settings.RETRY_DELAY_MS,
      batchSize: settings.SCHEDULER_BATCH_SIZE,
      concurrencyPerTarget: settings.SCHEDULER_CONCURRENCY,
      ...more,
    },
    { errored: createRaiseErrored(alertRulesOf), askedInVain: raiseAskedInVain },
  );
}

/** One alert when a vendor's breaker opens; the group recovers by itself when no process meets it open any more. */
function alertBreakers(outbox: Outbox, logger: Logger): void {
  const open = new Set<string>();
  let last: Promise<unknown> = Promise.resolve(); // one after the other: the first of an outage opens the group, the others find it open
  outbox.signals.on('breaker', ({ target, state }) => {
    if (state === 'closed') open.delete(target);
    if (state !== 'open') return;
    const isNew = !open.has(target);
    open.add(target);
    last = last
      .then(() => outbox.database.transaction((tx) => raiseVendorDown(tx, target, isNew)))
      .catch((err: unknown) =>
        logger.error({ err, target }, 'the alert about a vendor could not be recorded'),
      );
  });
}
