import { randomUUID } from 'node:crypto';
import { businessDay } from '../base/clock.js';
import { childTraceparent } from '../base/trace.js';
import { Database } from '../database/database.js';
import { pendingMigrations } from '../database/migrate.js';
import { readSession, readVersion } from '../database/server.js';
import { Alert } from '../entities/alert.js';
import { RedisLocks } from '../orders/lock.js';
import { createLogger } from './logging.js';
import { connectRedis, readyWithin } from './redis.js';
import { createClients } from './runtime.js';
import { loadSettings, type Settings, SettingsInvalid } from './settings.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** One line, when it failed. */
  readonly whatToDo?: string;
}

const CLOCK_SKEW_MAX_MS = 2_000;
const NODE_MIN = [20, 19] as const;

/** Looks at everything that lunchbox depends on. Changes nothing, but takes and gives back one lock. */
export async function runDoctor(env: Readonly<Record<string, string | undefined>>): Promise<Check[]> {
  const checks: Check[] = [checkNode()];
  let settings: Settings;
  try {
    settings = loadSettings({ env });
    checks.push({ name: 'settings', ok: true, detail: 'complete' });
  } catch (error) {
    if (!(error instanceof SettingsInvalid)) throw error;
    return [
      ...checks,
      {
        name: 'settings',
        ok: false,
        detail: error.problems.join('; '),
        whatToDo: 'correct these settings; docs/settings.md lists all',
      },
    ];
  }
  checks.push(
    ...(await checkDatabase(settings)),
    ...(await checkRedis(settings)),
    ...(await checkVendors(settings)),
  );
  return checks;
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return {
    name: 'node',
    ok,
    detail: process.versions.node,
    ...(ok ? {} : { whatToDo: `use Node ${NODE_MIN.join('.')} or newer` }),
  };
}

async function checkDatabase(settings: Settings): Promise<Check[]> {
  let database: Database;
  try {
    database = await Database.open({ url: settings.DATABASE_URL, poolSize: 2, statementTimeoutMs: 5_000 });
  } catch (error) {
    return [
      {
        name: 'database',
        ok: false,
        detail: (error as NodeJS.ErrnoException).code ?? 'cannot connect',
        whatToDo: 'check DATABASE_URL: host, port, user, password, and that the database exists',
      },
    ];
  }
  try {
    const isMysql = database.dialect.name === 'mysql';
    const version = await readVersion(database);
    const clockMs = Math.abs((await database.now()).getTime() - Date.now());
    const pending = await pendingMigrations(database);
    const checks: Check[] = [
      { name: 'database', ok: true, detail: `${isMysql ? 'MySQL/MariaDB' : 'SQLite'} ${version}` },
      {
        name: 'clock',
        ok: clockMs <= CLOCK_SKEW_MAX_MS,
        detail: `${clockMs} ms apart from the database's`,
        ...(clockMs <= CLOCK_SKEW_MAX_MS
          ? {}
          : { whatToDo: 'synchronise the clocks (NTP): signatures are refused beyond 300 s' }),
      },
      {
        name: 'schema',
        ok: pending.length === 0,
        detail: pending.length === 0 ? 'up to date' : `to run: ${pending.join(', ')}`,
        ...(pending.length === 0
          ? {}
          : { whatToDo: 'run `cli migrate`; the servers also do it when they start' }),
      },
    ];
    if (pending.length === 0) checks.push(await checkBreakers(database));
    if (!isMysql) return checks;
    const session = await readSession(database);
    const right = session?.isolation === 'READ-COMMITTED' && session.zone === '+00:00';
    checks.push({
      name: 'session',
      ok: right,
      detail: `${session?.isolation}, time zone ${session?.zone}`,
      ...(right ? {} : { whatToDo: 'a proxy resets session settings: let SET SESSION through' }),
    });
    return checks;
  } finally {
    await database.close();
  }
}

/** Breakers of the running processes: an alert is open from a breaker's opening until it has closed in every process. */
async function checkBreakers(database: Database): Promise<Check> {
  const where = { kind: 'vendor-down', status: 'open' } as const;
  const open = await database.manager.find(Alert, { where, order: { title: 'ASC' } });
  if (open.length === 0) return { name: 'breakers', ok: true, detail: 'none is open' };
  return {
    name: 'breakers',
    ok: false,
    detail: open.map(({ title, firstAt }) => `${title} open since ${firstAt.toISOString()}`).join(', '),
    whatToDo: 'its events wait and count no failures; a canary is sent at least every minute',
  };
}

async function checkRedis(settings: Settings): Promise<Check[]> {
  if (settings.REDIS_URLS.length === 0)
    return [{ name: 'redis', ok: true, detail: 'not configured: in-process locks' }];
  const logger = createLogger('silent', 'doctor');
  const clients = settings.REDIS_URLS.map((url) => connectRedis(url, logger));
  try {
    const ready = await Promise.all(clients.map((client) => readyWithin(client, 1_000)));
    const down = ready.filter((up) => !up).length;
    const checks: Check[] = [
      {
        name: 'redis',
        ok: down === 0,
        detail: `${ready.length - down} of ${ready.length} nodes answer`,
        ...(down === 0
          ? {}
          : {
              whatToDo:
                'start the missing Redis, or check REDIS_URLS; orders go on without it, with slower conflicts',
            }),
      },
    ];
    let unavailable = false;
    await new RedisLocks(clients, { unavailable: () => (unavailable = true), available: () => {} }).withLock(
      [`lunchbox:doctor:${randomUUID()}`],
      async () => {},
    );
    checks.push({
      name: 'lock',
      ok: !unavailable,
      detail: unavailable ? 'no lock could be taken' : 'taken and given back',
      ...(unavailable ? { whatToDo: 'a majority of the Redis nodes must answer' } : {}),
    });
    return checks;
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function checkVendors(settings: Settings): Promise<Check[]> {
  const { meican, energy, wecom } = createClients(settings);
  const context = { requestId: randomUUID(), traceparent: childTraceparent(null) };
  const reachable = (
    name: string,
    outcome: { kind: string; code?: string },
    accept: readonly string[],
    whatToDo: string,
  ): Check => {
    const ok = outcome.kind === 'applied' || (outcome.code !== undefined && accept.includes(outcome.code));
    return {
      name,
      ok,
      detail: ok ? 'answers, and knows our signature' : `${outcome.kind}: ${outcome.code ?? ''}`,
      ...(ok ? {} : { whatToDo }),
    };
  };
  try {
    const [listed, account] = await Promise.all([
      meican.listOrders('doctor', businessDay(Date.now()), context),
      energy.findCardAccountInfo('nobody-doctor', context),
    ]);
    const robot: Check = wecom.hasRobot
      ? { name: 'wecom', ok: true, detail: 'a robot is configured (nothing was sent)' }
      : {
          name: 'wecom',
          ok: false,
          detail: 'no robot is configured',
          whatToDo: 'set WECOM_WEBHOOK_URL, or alerts reach only the log',
        };
    return [
      reachable(
        'meican',
        listed,
        ['NOT_FOUND', 'HTTP_404'],
        'check MEICAN_BASE_URL, MEICAN_CORP_TOKEN and the network',
      ),
      reachable(
        'energy center',
        account,
        ['40403'],
        'check ENERGY_BASE_URL, ENERGY_APP_ID, ENERGY_APP_SECRET and the network',
      ),
      robot,
    ];
  } finally {
    meican.close();
    energy.close();
    wecom.close();
  }
}
