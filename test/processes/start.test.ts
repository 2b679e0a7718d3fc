import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { dist, launch, packed, root, until } from '../support/processes.js';

const bash = async (line: string): Promise<Record<string, never>> =>
  JSON.parse((await promisify(execFile)('bash', ['-c', line])).stdout);

/** An empty folder that looks like a fresh clone after `npm ci`. */
function freshFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-start-'));
  for (const name of [
    'src',
    'scripts',
    'config',
    'dist',
    'node_modules',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ])
    symlinkSync(path.join(root, name), path.join(folder, name));
  return folder;
}

describe('npm start', () => {
  it('runs without any server; the printed lines order and cancel; SIGTERM exits 0; a restart keeps everything', async () => {
    const folder = freshFolder();
    const env = { PORT: String(await freePort()), SANDBOX_PORT: String(await freePort()) };
    const lunchbox = launch([path.join(root, 'scripts', 'start.mjs')], env, folder);
    await until(lunchbox, 'cancel:');
    await until(lunchbox, 'changed my mind');
    const [order = '', look = '', cancel = ''] = lunchbox
      .output()
      .split('\n')
      .filter((line) => line.startsWith('curl'));
    const placed = (await bash(order)) as { orders?: { id: string; status: string }[] };
    expect(placed.orders).toMatchObject([{ status: 'ORDERING' }]);
    // Woken, not swept: the sweep comes every fifteen seconds.
    await expect
      .poll(async () => ((await bash(look)) as { data?: { status: string }[] }).data?.[0]?.status, {
        timeout: 2_000,
        interval: 50,
      })
      .toBe('ORDERED');
    const cancelled = (await bash(`${cancel} -w '\\n' | head -1`)) as {
      order?: { status: string; refund: string };
    };
    expect(cancelled.order).toMatchObject({ status: 'USER_CANCEL', refund: 'DONE' });
    const ledger = (await (await fetch(`http://127.0.0.1:${env.SANDBOX_PORT}/__sandbox/ledger`)).json()) as {
      meican: { orders: { cancelled: boolean }[] };
    };
    expect(ledger.meican.orders).toMatchObject([{ cancelled: true }]);
    expect(await lunchbox.stop('SIGTERM')).toBe(0);

    const again = launch([path.join(root, 'scripts', 'start.mjs')], env, folder);
    await until(again, 'cancel:');
    const still = (await bash(look)) as { data?: { status: string }[] };
    expect(still.data).toMatchObject([{ status: 'USER_CANCEL' }]);
    expect(await again.stop('SIGKILL')).toBe('SIGKILL');
  });

  it('SIGTERM to npm itself ends lunchbox, too, and npm exits 0', async () => {
    const npm = spawn('npm', ['start'], {
      cwd: freshFolder(),
      env: { ...process.env, PORT: '0', SANDBOX_PORT: '0', NODE_ENV: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    await new Promise<void>((resolve) =>
      npm.stdout.on('data', (chunk) => {
        output += chunk;
        if (output.includes('changed my mind')) resolve();
      }),
    );
    const url = /API +(\S+)/.exec(output)?.[1] ?? '';
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const ended = new Promise((resolve) => npm.once('close', resolve));
    npm.kill('SIGTERM');
    expect(await ended).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  it('says which setting to change when a port is taken', async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as net.AddressInfo).port);
    const folder = freshFolder();
    const first = launch(
      [path.join(root, 'scripts', 'start.mjs')],
      { PORT: port, SANDBOX_PORT: '0' },
      folder,
    );
    expect(await first.ended).toBe(1);
    expect(first.output()).toContain(`port ${port} is taken; set PORT to another one`);
    const second = launch(
      [path.join(root, 'scripts', 'start.mjs')],
      { PORT: '0', SANDBOX_PORT: port },
      folder,
    );
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('set SANDBOX_PORT');
    taken.close();
  });

  it('names all wrong or missing settings at once and exits 1', async () => {
    for (const name of ['api', 'scheduler']) {
      const child = launch([packed(name)], { PORT: 'x', MEICAN_TYPO: '1' });
      expect(await child.ended).toBe(1);
      for (const key of [
        'PORT=x',
        'MEICAN_TYPO',
        'DATABASE_URL: missing',
        'MEICAN_BASE_URL: missing',
        'ENERGY_APP_SECRET: missing',
      ])
        expect(child.output()).toContain(key);
    }
  });

  it('refuses production, and says what to run instead', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-start-'));
    const child = launch([dist('start')], { NODE_ENV: 'production', PORT: '0', SANDBOX_PORT: '0' }, folder);
    expect(await child.ended).toBe(1);
    expect(child.output()).toContain('refuses NODE_ENV=production');
    expect(child.output()).toContain('dist/api.js and dist/scheduler.js');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps its data to itself: the sandbox on loopback whatever HOST says, files and folder closed, books that go with their database', async () => {
    const folder = freshFolder();
    mkdirSync(path.join(folder, 'data'), { mode: 0o755 });
    const env = { HOST: '0.0.0.0', PORT: String(await freePort()), SANDBOX_PORT: String(await freePort()) };
    const start = async () => {
      const lunchbox = launch([path.join(root, 'scripts', 'start.mjs')], env, folder);
      await until(lunchbox, 'changed my mind');
      return lunchbox;
    };
    const order = (output: string) =>
      bash(output.split('\n').find((line) => line.startsWith('curl -s -X POST')) ?? '');
    const first = await start();
    expect((await fetch(`http://127.0.0.2:${env.PORT}/livez`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.2:${env.SANDBOX_PORT}/__sandbox/ledger`)).rejects.toThrow();
    expect(await order(first.output())).toMatchObject({ orders: [{ status: 'ORDERING' }] });
    const files = readdirSync(path.join(folder, 'data'));
    expect(files).toEqual(expect.arrayContaining(['jwt-secret', 'lunchbox.db', 'sandbox.jsonl']));
    for (const file of files)
      expect([file, statSync(path.join(folder, 'data', file)).mode & 0o777]).toEqual([file, 0o600]);
    expect(statSync(path.join(folder, 'data')).mode & 0o777).toBe(0o700);
    expect(await first.stop('SIGTERM')).toBe(0);

    for (const file of files.filter((one) => one.startsWith('lunchbox.db')))
      rmSync(path.join(folder, 'data', file), { force: true });
    const second = await start();
    expect(second.output()).toContain('belong to another database: put aside');
    expect(await order(second.output())).toMatchObject({ orders: [{ status: 'ORDERING' }] }); // its number is one that the old books know
    expect(await second.stop('SIGTERM')).toBe(0);
  }, 60_000);
});

it('npm run demo exits 0 and its last lines are the books, agreeing', async () => {
  const demo = launch([path.join(root, 'scripts', 'demo.mjs')], {}, freshFolder());
  expect(await demo.ended).toBe(0);
  const last = demo.output().trim().split('\n').slice(-5);
  expect(last[0]).toBe('the books');
  expect(last.slice(1).every((line) => line.trim().startsWith('agree'))).toBe(true);
}, 60_000);
