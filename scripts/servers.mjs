// Private MariaDB and Redis servers for tests and benchmarks: on free loopback ports, in folders of their own.
// Where the programs come from, in this order: PATH → Debian packages unpacked without root → apt-get as root.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = path.join(fileURLToPath(new URL('..', import.meta.url)), '.cache', 'servers');
const packages = [
  'mariadb-server-core',
  'mariadb-client-core',
  'mariadb-common',
  'libmariadb3',
  'libaio1',
  'liburing2',
  'libsnappy1v5',
  'redis-tools',
  'redis-server',
  'libjemalloc2',
  'liblzf1',
  'libhiredis0.14',
  'liblua5.1-0',
];

/** @returns {{ mariadbd: string, installDb: string, redis: string, basedir: string, env: Record<string, string> }} */
export function findPrograms(log = console.error) {
  const found = onPath() ?? unpacked() ?? unpack(log) ?? installed(log);
  if (found) return found;
  throw new Error(
    'MariaDB and Redis are needed for the tests and could not be had.\nInstall them (Debian: apt-get install mariadb-server redis-server), or name running ones: TEST_DATABASE_URL=mysql://user:pass@host:port/ TEST_REDIS_URL=redis://host:port',
  );
}

function which(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .concat('/usr/sbin', '/usr/local/sbin')
    .map((directory) => path.join(directory, name))
    .find((file) => existsSync(file));
}

function works(programs) {
  const run = (file) =>
    spawnSync(file, ['--version'], { env: { ...process.env, ...programs.env } }).status === 0;
  return run(programs.mariadbd) && run(programs.redis) && existsSync(programs.installDb)
    ? programs
    : undefined;
}

function onPath() {
  const [mariadbd, installDb, redis] = [
    which('mariadbd'),
    which('mariadb-install-db'),
    which('redis-server'),
  ];
  return mariadbd && installDb && redis
    ? works({ mariadbd, installDb, redis, basedir: '/usr', env: {} })
    : undefined;
}

function unpacked() {
  const root = path.join(cache, 'root');
  if (!existsSync(path.join(root, 'usr/sbin/mariadbd'))) return undefined;
  const libraries = readdirSync(path.join(root, 'usr/lib'))
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => path.join(root, 'usr/lib', name));
  const env = { LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':') };
  return works({
    mariadbd: path.join(root, 'usr/sbin/mariadbd'),
    installDb: path.join(root, 'usr/bin/mariadb-install-db'),
    redis: path.join(root, 'usr/bin/redis-server'),
    basedir: path.join(root, 'usr'),
    env,
  });
}

function unpack(log) {
  if (!which('apt-get') || !which('dpkg')) return undefined;
  log('fetching MariaDB and Redis (unpacked into .cache/, nothing is installed) …');
  for (const directory of ['lists/partial', 'archives/archives/partial', 'debs', 'root'])
    mkdirSync(path.join(cache, directory), { recursive: true });
  const options = [
    '-q',
    '-o',
    `Dir::State::lists=${cache}/lists`,
    '-o',
    `Dir::Cache=${cache}/archives`,
    '-o',
    'APT::Sandbox::User=',
    '-o',
    'Debug::NoLocking=1',
  ];
  const quiet = {
    cwd: path.join(cache, 'debs'),
    env: { ...process.env, HOME: cache },
    stdio: ['ignore', 'ignore', 'pipe'],
  };
  try {
    execFileSync('apt-get', [...options, 'update'], quiet);
    execFileSync('apt-get', [...options, 'download', ...packages], quiet);
    for (const file of readdirSync(quiet.cwd).filter((name) => name.endsWith('.deb')))
      execFileSync('dpkg', ['-x', file, path.join(cache, 'root')], quiet);
  } catch (error) {
    log(
      `unpacking did not work: ${String(error.stderr ?? error.message)
        .trim()
        .split('\n')
        .at(-1)}`,
    );
    return undefined;
  }
  return unpacked();
}

function installed(log) {
  if (process.getuid?.() !== 0 || !which('apt-get')) return undefined;
  log('installing MariaDB and Redis with apt-get …');
  const quiet = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' };
  spawnSync('apt-get', ['-q', 'update'], quiet);
  spawnSync(
    'apt-get',
    ['-q', '-y', 'install', '--no-install-recommends', 'mariadb-server', 'redis-server'],
    quiet,
  );
  return onPath();
}

export async function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function whenOpen(port, child, log, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended at once; see ${log}`);
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`the server did not open port ${port}; see ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function launch(file, args, logFile, env) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const chunks = [];
  const keep = (chunk) => {
    chunks.push(chunk);
    writeFileSync(logFile, chunk, { flag: 'a' });
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    child,
    ended,
    async stop(signal = 'SIGTERM') {
      process.removeListener('exit', killWithUs);
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

/** A MariaDB of our own. `durable`: flush at every commit (benchmarks); otherwise what the operating system holds survives a kill. */
export async function startMariadb(
  { directory, port, timeZone = '+00:00', durable = false, bufferPool = '256M', more = [] },
  programs = findPrograms(),
) {
  const data = path.join(directory, 'data');
  const template = path.join(cache, 'mariadb-template');
  if (!existsSync(path.join(data, 'mysql'))) {
    mkdirSync(directory, { recursive: true });
    if (!existsSync(path.join(template, 'mysql'))) {
      mkdirSync(path.dirname(template), { recursive: true });
      const building = `${template}-${process.pid}`;
      const args = [
        '--no-defaults',
        `--basedir=${programs.basedir}`,
        `--datadir=${building}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-name-resolve',
        ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ];
      execFileSync(programs.installDb, args, {
        env: { ...process.env, ...programs.env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      if (existsSync(path.join(template, 'mysql'))) rmSync(building, { recursive: true });
      else cpSync(building, template, { recursive: true });
      rmSync(building, { recursive: true, force: true });
    }
    cpSync(template, data, { recursive: true });
  }
  const log = path.join(directory, 'mariadb.log');
  const server = launch(
    programs.mariadbd,
    [
      '--no-defaults',
      `--basedir=${programs.basedir}`,
      `--datadir=${data}`,
      `--lc-messages-dir=${programs.basedir}/share/mysql`,
      `--socket=${path.join(directory, 'db.sock')}`,
      `--pid-file=${path.join(directory, 'db.pid')}`,
      `--tmpdir=${directory}`, // of its own: a server that starts clears the temporary tables of all that share the folder
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--skip-log-bin',
      '--max-connections=400',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_unicode_ci',
      `--default-time-zone=${timeZone}`,
      `--innodb-flush-log-at-trx-commit=${durable ? 1 : 2}`,
      `--innodb-buffer-pool-size=${bufferPool}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ...more,
    ],
    log,
    programs.env,
  );
  await whenOpen(port, server.child, log);
  return { url: `mysql://root@127.0.0.1:${port}/`, port, directory, ...server };
}

export async function startRedis({ directory, port }, programs = findPrograms()) {
  mkdirSync(directory, { recursive: true });
  const log = path.join(directory, 'redis.log');
  const server = launch(
    programs.redis,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory],
    log,
    programs.env,
  );
  await whenOpen(port, server.child, log);
  return { url: `redis://127.0.0.1:${port}`, port, directory, ...server };
}
