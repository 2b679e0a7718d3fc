// The built programs as they run in production, against private servers and the sandbox: one api, schedulers, the vendors' stand-in.
import { fork, spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/servers.mjs';
import { usageOf } from './measure.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const secret = 'a-secret-of-the-benchmarks-alone-32-bytes';
export const garden = 'bench';
/** As the units in deploy/ start them. */
const HEAP = ['--max-old-space-size=192'];

/** A built program; resolves when its log says that it is ready. */
async function launch(name, env, line) {
  const flags = [
    ...HEAP,
    ...(name === process.env.PROFILED ? (process.env.DRIVER_ARGS ?? '').split(' ') : []),
  ];
  const child = spawn(process.execPath, [...flags, path.join(root, 'dist', `${name}.js`)], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 2],
    cwd: root,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).includes(line) && resolve());
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return {
    pid: child.pid,
    usage: () => usageOf(child.pid),
    stop: async (signal = 'SIGKILL') => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    },
  };
}

/** `meicanBehind`: opens something that stands between us and the sandbox's Meican; told the sandbox's URL, it says its own. */
export async function openCanteen(servers, settings = {}, { meicanBehind } = {}) {
  const { sandboxSettings } = await import('../../dist/dev/sandbox/defaults.js');
  const { Database } = await import('../../dist/database/database.js');
  const { migrate } = await import('../../dist/database/migrate.js');
  const { signToken } = await import('../../dist/http/auth.js');
  const menus = await import('../../dist/orders/menu.js');
  const sandboxPort = await freePort();
  const sandbox = await launch(
    'sandbox',
    { SANDBOX_PORT: String(sandboxPort), LOG_LEVEL: 'info' },
    'sandbox listens',
  );
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const proxy = await meicanBehind?.(sandboxUrl);
  const env = {
    ...Object.fromEntries(
      Object.entries(sandboxSettings(sandboxUrl)).map(([key, value]) => [key, String(value)]),
    ),
    DATABASE_URL: servers.env.DATABASE_URL,
    REDIS_URLS: servers.env.LOCKS_URL,
    ...(proxy ? { MEICAN_BASE_URL: `${proxy.url}/meican` } : {}),
    AUTH_JWT_SECRET: secret,
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_MINUTE: '100000000',
    RATE_LIMIT_USER_PER_MINUTE: '100000000',
    ...settings,
  };
  const database = await Database.open({ url: servers.env.DATABASE_URL });
  await migrate(database);
  return {
    env,
    database,
    sandbox,
    sandboxUrl,
    proxy,
    /** The vendors' own books. */
    ledger: async () => (await fetch(`${sandboxUrl}/__sandbox/ledger`)).json(),
    async startApi(more = {}) {
      const port = await freePort();
      return {
        ...(await launch('api', { ...env, PORT: String(port), ...more }, 'api listens')),
        url: `http://127.0.0.1:${port}`,
      };
    },
    startScheduler: (more = {}) => launch('scheduler', { ...env, ...more }, 'scheduler runs'),
    tokenFor: (sub) => signToken(secret, { sub, role: 'user', email: `${sub}@example.com`, ttlS: 36_000 }),
    /** A menu with these dishes and cabinets. */
    async menu(date, { dishes, stock, cutoffAt = new Date(`${date}T02:30:00Z`) }) {
      const key = { garden, date, mealType: 'LUNCH' };
      await menus.putMenu(database, key, {
        corp: 'bench',
        cutoffAt,
        dishes: Array.from({ length: dishes }, (_, i) => ({
          meicanDishId: String(100 + i),
          name: `dish ${i}`,
          priceInCent: 1000 + i,
          stock,
        })),
        sideboards: Array.from({ length: 20 }, (_, i) => ({
          location: `L${i}`,
          addressId: `A${i}`,
          capacity: 1_000_000,
        })),
      });
      return menus.getMenu(database, key);
    },
    async close() {
      await database.close();
      proxy?.close();
      await sandbox.stop();
    },
  };
}

/** A process that sends requests when told to. */
export async function openLoad() {
  const child = fork(fileURLToPath(new URL('load.mjs', import.meta.url)));
  await new Promise((resolve) => child.once('message', resolve));
  return {
    pid: child.pid,
    send: (plan) =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send(plan);
      }),
    close: () => child.disconnect(),
  };
}

export async function openProbe(servers) {
  const port = await freePort();
  const child = fork(path.join(root, 'bench/drivers/probe-server.mjs'), {
    env: {
      ...process.env,
      DATABASE_URL: servers.env.DATABASE_URL,
      PORT: String(port),
      NODE_ENV: 'production',
    },
  });
  await new Promise((resolve) => child.once('message', resolve));
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, close: () => child.disconnect() };
}
