import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startApi } from '../app/api-part.js';
import type { Logger } from '../app/logging.js';
import { openDatabase } from '../app/open-database.js';
import { createRuntime, type Runtime } from '../app/runtime.js';
import { startScheduler } from '../app/scheduler-part.js';
import type { Settings } from '../app/settings.js';
import { businessDay } from '../base/clock.js';
import { privateFile } from '../base/private-files.js';
import type { Database } from '../database/database.js';
import { identityOf } from '../database/identity.js';
import { signToken } from '../http/auth.js';
import { getMenu, putMenu } from '../orders/menu.js';
import { sandboxSecrets, sandboxSettings } from './sandbox/defaults.js';
import { ownLedger } from './sandbox/ledger-owner.js';
import { makePayerKeys } from './sandbox/payers/keys.js';
import { Sandbox } from './sandbox/server.js';

const DAY_MS = 86_400_000;
const TOKEN_TTL_S = 7 * 86_400;
export const demoGarden = 'demo';

export interface Embedded {
  readonly runtime: Runtime;
  readonly sandbox: Sandbox | null;
  readonly url: string;
  stop(): Promise<void>;
}

/** What the embedded shape uses where nothing else is set. The sandbox's address is filled in once it listens. */
export function embeddedFallback(dataDirectory: string): Record<string, string | number | boolean> {
  return {
    DATABASE_URL: `sqlite:${path.join(dataDirectory, 'lunchbox.db')}`,
    SANDBOX_STATE: path.join(dataDirectory, 'sandbox.jsonl'),
    DOCS_OPEN: true,
    LOG_LEVEL: 'warn',
    AUTH_JWT_SECRET: 'replaced-below-by-a-kept-one-of-32-bytes',
    ...sandboxSettings('http://127.0.0.1:1'),
  };
}

/** API, scheduler and, where no vendor is configured, the sandbox, in this one process. */
export async function startEmbedded(
  given: Settings,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<Embedded> {
  const ownVendors = Boolean(env.MEICAN_BASE_URL && env.ENERGY_BASE_URL);
  const database = await openDatabase(given, logger);
  const sandbox = ownVendors
    ? null
    : await startSandbox(given, database, logger).catch(async (error: unknown) => {
        await database.close();
        throw error;
      });
  const vendors = sandbox
    ? Object.fromEntries(
        Object.entries({
          ...sandboxSettings(sandbox.url),
          ...sandbox.payerSettings,
        }).filter(([key]) => !env[key]),
      )
    : {};
  const PUBLIC_URL = env.PUBLIC_URL ? given.PUBLIC_URL : `http://${given.HOST}:${given.PORT}`;
  const settings: Settings = {
    ...given,
    ...vendors,
    PUBLIC_URL,
    ...(env.AUTH_JWT_SECRET || env.AUTH_JWKS_URL ? {} : { AUTH_JWT_SECRET: keptSecret(given.DATABASE_URL) }),
  };
  const runtime = await createRuntime(settings, logger, { database }).catch(async (error: unknown) => {
    await sandbox?.close();
    throw error;
  });
  try {
    await seedMenus(runtime);
    const api = await startApi(runtime, logger, { beats: false });
    const scheduler = await startScheduler(runtime, logger);
    return {
      runtime,
      sandbox,
      url: api.url,
      async stop() {
        await scheduler.stop();
        await api.stop();
        await runtime.close();
        await sandbox?.close();
      },
    };
  } catch (error) {
    await runtime.close();
    await sandbox?.close();
    throw error;
  }
}

/** Its books belong to the database: order numbers begin anew with a new one, and a sandbox that knew them already would refuse its first order. */
async function startSandbox(given: Settings, database: Database, logger: Logger): Promise<Sandbox> {
  if (given.SANDBOX_STATE) {
    const said = ownLedger(given.SANDBOX_STATE, await identityOf(database));
    if (said) logger.warn(said);
  }
  return Sandbox.start({
    host: '127.0.0.1',
    port: given.SANDBOX_PORT,
    stateFile: given.SANDBOX_STATE,
    legacyMode: given.SANDBOX_LEGACY_MODE,
    secrets: sandboxSecrets,
    payerKeys: await makePayerKeys(),
  });
}

export async function tokenFor(
  settings: Settings,
  sub: string,
  role: 'user' | 'operator' | 'viewer' | 'service',
): Promise<string> {
  return signToken(settings.AUTH_JWT_SECRET ?? '', {
    sub,
    role,
    email: `${sub}@example.com`,
    name: sub,
    ttlS: TOKEN_TTL_S,
    issuer: settings.AUTH_ISSUER,
    audience: settings.AUTH_AUDIENCE,
  });
}

/** The day that the seeded menus, and the printed commands, are about: tomorrow, so that the cut-off is ahead. */
export function demoDay(nowMs = Date.now()): string {
  return businessDay(nowMs + DAY_MS);
}

/** Menus for tomorrow, unless they are there. */
async function seedMenus({ database }: Runtime): Promise<void> {
  const date = demoDay();
  for (const [mealType, hour] of [
    ['LUNCH', '10'],
    ['DINNER', '16'],
  ] as const) {
    const key = { garden: demoGarden, date, mealType };
    const known = await getMenu(database, key).then(
      () => true,
      () => false,
    );
    if (known) continue;
    await putMenu(database, key, {
      corp: 'demo-corp',
      cutoffAt: new Date(`${date}T${hour}:30:00+08:00`),
      dishes: [
        { meicanDishId: '101', name: '宫保鸡丁', priceInCent: 2300, stock: 200 },
        { meicanDishId: '102', name: '番茄炒蛋', priceInCent: 1800, stock: 200 },
        { meicanDishId: '103', name: '水煮牛肉', priceInCent: 3200, stock: 50 },
      ],
      sideboards: [
        { location: 'A 座 1 层', addressId: 'A1', capacity: 300 },
        { location: 'B 座 2 层', addressId: 'B2', capacity: 150 },
      ],
    });
  }
}

/** A secret of this installation's own, kept beside its database, so that a token outlives a restart. */
function keptSecret(databaseUrl: string): string {
  const directory =
    databaseUrl.startsWith('sqlite:') && databaseUrl !== 'sqlite::memory:'
      ? path.dirname(databaseUrl.slice('sqlite:'.length))
      : './data';
  const file = path.join(directory, 'jwt-secret');
  privateFile(file);
  const kept = readFileSync(file, 'utf8').trim();
  if (kept !== '') return kept;
  const secret = randomBytes(32).toString('hex');
  writeFileSync(file, `${secret}\n`);
  return secret;
}
