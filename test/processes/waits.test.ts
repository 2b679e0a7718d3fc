import net from 'node:net';
import { expect, inject, it } from 'vitest';
import { emptyDatabase } from '../support/databases.js';
import { freePort } from '../support/free-port.js';
import { environment, launch, packed, until } from '../support/processes.js';

const away = '"the database is away: waiting for it"';

/** Hands connections on to the real server, once there is one to be reached. */
async function bridge(port: number, to: URL): Promise<() => void> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    const onward = net.connect(Number(to.port), to.hostname);
    for (const one of [socket, onward]) sockets.add(one.on('error', () => {}));
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

async function setUp() {
  const [port, databasePort] = [await freePort(), await freePort()];
  const real = new URL(await emptyDatabase('mariadb'));
  const url = new URL(real);
  url.host = `127.0.0.1:${databasePort}`;
  return {
    real,
    databasePort,
    url: `http://127.0.0.1:${port}`,
    env: { ...environment('http://127.0.0.1:1', url.href, inject('redisUrl')), PORT: String(port) },
  };
}

it('an API and a scheduler whose database is away wait for it: alive, not ready, one line, and then at work', async () => {
  const { real, databasePort, url, env } = await setUp();
  const [api, scheduler] = [launch([packed('api')], env), launch([packed('scheduler')], env)];
  await Promise.all([until(api, away), until(scheduler, away)]);
  const status = async (path: string): Promise<number> => (await fetch(`${url}${path}`)).status;
  await expect.poll(() => status('/livez').catch(() => 0)).toBe(200);
  const refused = await fetch(`${url}/v1/orders`);
  expect([refused.status, refused.headers.get('content-type'), refused.headers.get('retry-after')]).toEqual([
    503,
    'application/problem+json',
    '5',
  ]);
  expect(await refused.json()).toMatchObject({
    code: 'dependency-unavailable',
    status: 503,
    retryable: true,
    instance: '/v1/orders',
  });
  expect(await status('/readyz')).toBe(503);

  const close = await bridge(databasePort, real);
  await Promise.all([until(api, '"api listens"'), until(scheduler, '"scheduler runs"')]);
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200]);
  for (const one of [api, scheduler]) expect(one.output().split(away)).toHaveLength(2);
  expect(await Promise.all([api.stop(), scheduler.stop()])).toEqual([0, 0]);
  close();
}, 60_000);

it('a process that waits ends at once with SIGTERM, and with 1 when START_TIMEOUT_MS are over', async () => {
  const { env } = await setUp();
  const patient = launch([packed('scheduler')], env);
  const hasty = launch([packed('scheduler')], { ...env, START_TIMEOUT_MS: '300' });
  await until(patient, away);
  expect(await patient.stop()).toBe(0);
  expect(await hasty.ended).toBe(1);
  expect(hasty.output()).toContain('the database does not answer (ECONNREFUSED); check DATABASE_URL');
}, 60_000);

it('what waiting cannot mend is refused at once', async () => {
  const { real, env } = await setUp();
  const [stranger, nowhere] = [new URL(real), new URL(real)];
  stranger.username = 'nobody';
  stranger.password = 'a-password-that-is-wrong';
  nowhere.pathname = '/no_such_database';
  for (const [wrong, word] of [
    [stranger, 'ER_ACCESS_DENIED'],
    [nowhere, 'ER_BAD_DB_ERROR'],
  ] as const) {
    const child = launch([packed('scheduler')], { ...env, DATABASE_URL: wrong.href });
    expect(await child.ended).toBe(1);
    expect(child.output()).toContain(word);
    expect(child.output()).not.toContain(away);
    expect(child.output()).not.toContain('a-password-that-is-wrong');
  }
}, 60_000);

it('a Redis that is away keeps no API from serving', async () => {
  const { real, url, env } = await setUp();
  const api = launch([packed('api')], {
    ...env,
    DATABASE_URL: real.href,
    REDIS_URLS: `redis://127.0.0.1:${await freePort()}`,
  });
  await until(api, '"api listens"');
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await api.stop()).toBe(0);
}, 60_000);
