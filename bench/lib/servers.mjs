// Private servers for the contenders, on free loopback ports, each flushing every commit.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPrograms, freePort, startMariadb } from '../../scripts/servers.mjs';
import { sleep } from './measure.mjs';

const programs = findPrograms();

/** Starts what is asked for: `mariadb`, `redis` (its log flushed with every write), `locks` (a Redis that keeps nothing), `postgres`, `partner` (answers HTTP after 20 ms). */
export async function startServers(wanted, { bufferPool = '1G' } = {}) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-bench-'));
  const children = [];
  const servers = { directory, env: {}, pids: {} };
  const launch = async (name, file, args, port, options = {}) => {
    const child = spawn(file, args, { stdio: 'ignore', ...options });
    children.push(child);
    servers.pids[name] = child.pid;
    await whenOpen(port, child, name);
  };
  if (wanted.includes('mariadb')) {
    const mariadb = await startMariadb(
      {
        directory: path.join(directory, 'mariadb'),
        port: await freePort(),
        durable: true,
        bufferPool,
        more: ['--innodb-log-file-size=1G'],
      },
      programs,
    );
    children.push(mariadb.child);
    servers.pids.mariadb = mariadb.child.pid;
    const mysql = (await import('mysql2/promise')).default;
    const root = await mysql.createConnection(mariadb.url);
    await root.query('CREATE DATABASE bench CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
    await root.end();
    servers.env.DATABASE_URL = `${mariadb.url}bench`;
  }
  const startRedis = async (name, durability) => {
    const port = await freePort();
    mkdirSync(path.join(directory, name));
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      path.join(directory, name),
      '--save',
      '',
      ...durability,
    ];
    await launch(name, programs.redis, args, port, { env: { ...process.env, ...programs.env } });
    return `redis://127.0.0.1:${port}`;
  };
  if (wanted.includes('redis'))
    servers.env.BULLMQ_URL = await startRedis('redis', ['--appendonly', 'yes', '--appendfsync', 'always']);
  if (wanted.includes('locks')) servers.env.LOCKS_URL = await startRedis('locks', ['--appendonly', 'no']);
  if (wanted.includes('postgres')) {
    const bin = postgresPrograms();
    const data = path.join(directory, 'postgres');
    mkdirSync(data);
    // The server refuses to run as root.
    const asUser =
      process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
    if (asUser.length > 0) {
      execFileSync('chmod', ['755', directory]);
      execFileSync('chown', ['postgres', data]);
    }
    const [file, ...rest] = [
      ...asUser,
      path.join(bin, 'initdb'),
      '-D',
      data,
      '-U',
      'bench',
      '--auth=trust',
      '-E',
      'UTF8',
    ];
    execFileSync(file, rest, { stdio: 'ignore', cwd: '/' });
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${data}`,
      'fsync=on',
      'synchronous_commit=on',
      'shared_buffers=1GB',
      'max_wal_size=4GB',
      'max_connections=200',
    ];
    const [server, ...args] = [
      ...asUser,
      path.join(bin, 'postgres'),
      '-D',
      data,
      '-p',
      String(port),
      ...settings.flatMap((setting) => ['-c', setting]),
    ];
    await launch('postgres', server, args, port, { cwd: '/' });
    servers.env.PG_URL = `postgres://bench@127.0.0.1:${port}/postgres`;
    await sleep(500);
  }
  if (wanted.includes('partner')) {
    const port = await freePort();
    await launch(
      'partner',
      process.execPath,
      [fileURLToPath(new URL('partner.mjs', import.meta.url)), String(port), '20'],
      port,
    );
    servers.env.PARTNER_PORT = String(port);
  }
  servers.stop = async () => {
    for (const child of children) child.kill('SIGKILL');
    await sleep(200);
    rmSync(directory, { recursive: true, force: true });
  };
  return servers;
}

function postgresPrograms() {
  const versions = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
    : [];
  const found = versions
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((bin) => existsSync(path.join(bin, 'initdb')));
  if (!found)
    throw new Error(
      'PostgreSQL is needed for graphile-worker and pg-boss (Debian: apt-get install postgresql), or leave them out with --without-postgres',
    );
  return found;
}

async function whenOpen(port, child, name) {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`${name} ended at once`);
    const isOpen = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error(`${name} did not open its port`);
}
