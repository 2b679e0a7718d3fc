import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import type { Role } from '../../src/base/caller.js';
import { sandboxSettings } from '../../src/dev/sandbox/defaults.js';
import { freePort } from './free-port.js';
// @ts-expect-error plain JavaScript
import { packed as packedFile } from './pack.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const secret = 'a-secret-of-the-tests-alone-32-bytes-and-more';

export interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** A built program as a process of its own; only the environment given here, and PATH. */
export function launch(args: readonly string[], env: Record<string, string>, cwd = root): Child {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (text += chunk));
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve(code ?? signal ?? 'unknown');
    }),
  );
  children.add(child);
  return {
    process: child,
    output: () => text,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Nothing outlives the test run. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export const dist = (name: string): string => path.join(root, 'dist', `${name}.js`);
/** The same program, packed: for whoever starts it again and again. */
export const packed = (name: string): string => packedFile(name);
/** Campaigns kill and measure what is shipped; nobody has packed anything for them. */
const program = process.env.VITEST ? packed : dist;

/** Waits for a line in the output, or for the end of the process. */
export async function until(child: Child, text: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let over: number | string | undefined;
  void child.ended.then((code) => (over = code));
  while (!child.output().includes(text)) {
    if (over !== undefined)
      throw new Error(`ended with ${over} before "${text}":\n${child.output().slice(-3000)}`);
    if (Date.now() > deadline) throw new Error(`no "${text}" in:\n${child.output().slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** For tests in which no vendor is late: on a machine that has much to do, a vendor's answer may take a while, and that is not what they are about. */
export const unhurried = { MEICAN_TIMEOUT_MS: '5000', ENERGY_TIMEOUT_MS: '5000', WECOM_TIMEOUT_MS: '5000' };

export function environment(
  sandboxUrl: string,
  databaseUrl: string,
  redisUrl: string,
): Record<string, string> {
  const vendors = Object.fromEntries(
    Object.entries(sandboxSettings(sandboxUrl)).map(([key, value]) => [key, String(value)]),
  );
  return {
    ...vendors,
    DATABASE_URL: databaseUrl,
    REDIS_URLS: redisUrl,
    AUTH_JWT_SECRET: secret,
    LOG_LEVEL: 'info',
    MEICAN_TIMEOUT_MS: '1000',
    ENERGY_TIMEOUT_MS: '1000',
    MEICAN_SETTLE_MS: '300',
    RETRY_DELAY_MS: '200',
    LEASE_MS: '1000',
    SCHEDULER_CRON: '* * * * * *',
    PAYMENT_WINDOW_MS: '3000',
    INLINE_BUDGET_MS: '2000',
    SHUTDOWN_TIMEOUT_MS: '8000',
  };
}

export async function startApi(env: Record<string, string>): Promise<Child & { url: string }> {
  const port = await freePort();
  const child = launch([program('api')], { ...env, PORT: String(port) });
  await until(child, '"api listens"');
  return { ...child, url: `http://127.0.0.1:${port}` };
}

export async function startScheduler(env: Record<string, string>): Promise<Child> {
  const child = launch([program('scheduler')], env);
  await until(child, '"scheduler runs"');
  return child;
}

export interface Answered<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** As the company's identity provider signs it: a while ago, so that a process whose clock is ten minutes behind knows it, too. */
async function tokenOf(sub: string, role: Role): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  const token = new SignJWT({ role, email: `${sub}@example.com` })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub);
  return token
    .setIssuedAt(nowS - 900)
    .setExpirationTime(nowS + 1_200)
    .sign(new TextEncoder().encode(secret));
}

/** A client of the HTTP API. A connection that breaks is an answer of status 0. */
export async function call<T = Record<string, unknown>>(
  url: string,
  method: string,
  options: { sub: string; role?: Role; body?: unknown; key?: string },
): Promise<Answered<T>> {
  const token = await tokenOf(options.sub, options.role ?? 'user');
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.key ? { 'idempotency-key': options.key } : {}),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(20_000),
    });
    return { status: response.status, body: (await response.json()) as T, headers: response.headers };
  } catch {
    return { status: 0, body: {} as T, headers: new Headers() };
  }
}
