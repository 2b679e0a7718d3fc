// `npm run bench -- drain [--rounds 5] [--jobs 20000] [--concurrency 50]`, `npm run bench -- quick`: private servers, interleaved rounds, medians and ratios.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../scripts/ensure-built.mjs';
import { findPrograms, freePort, startMariadb } from '../scripts/servers.mjs';

const bench = fileURLToPath(new URL('.', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, jobs: { type: 'string' }, concurrency: { type: 'string', default: '50' } },
});
const [what = 'quick'] = positionals;
if (what !== 'drain' && what !== 'quick') {
  console.error('npm run bench -- drain|quick [--rounds n] [--jobs n] [--concurrency n]');
  process.exit(2);
}
const rounds = Number(values.rounds ?? (what === 'quick' ? 1 : 5));
const jobs = Number(values.jobs ?? (what === 'quick' ? 5_000 : 20_000));

ensureBuilt();
// No lock file: BullMQ's optional packages for other platforms make `npm ci` refuse one.
if (!existsSync(path.join(bench, 'node_modules')))
  execFileSync('npm', ['install', '--no-package-lock', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: bench,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
const programs = findPrograms();
const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-bench-'));
const mariadb = await startMariadb({ directory: path.join(directory, 'mariadb'), port: await freePort(), durable: true, bufferPool: '1G' }, programs);
const redisPort = await freePort();
mkdirSync(path.join(directory, 'redis'));
const redis = spawn(
  programs.redis,
  ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', path.join(directory, 'redis'), '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
  {
    env: { ...process.env, ...programs.env },
    stdio: 'ignore',
  },
);
const mysql = (await import('mysql2/promise')).default;
const root = await mysql.createConnection(mariadb.url);
await root.query('CREATE DATABASE bench CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
await root.end();

const contenders = [
  { name: 'lunchbox, batch 10', driver: 'lunchbox', env: { BATCH: '10' } },
  { name: 'lunchbox, batch 100', driver: 'lunchbox', env: { BATCH: '100' } },
  { name: 'textbook loop', driver: 'textbook', env: {} },
  { name: 'BullMQ, appendfsync always', driver: 'bullmq', env: {} },
];
const base = { JOBS: String(jobs), CONCURRENCY: values.concurrency, DATABASE_URL: `${mariadb.url}bench`, REDIS_URL: `redis://127.0.0.1:${redisPort}` };

/** One run of one contender, in a process of its own. */
function run({ driver, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(bench, 'drivers', `${driver}.mjs`)], {
      env: { ...process.env, ...base, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(text.trim().split('\n').at(-1))) : reject(new Error(`${driver} ended with ${code}`))));
  });
}

/** What one flush costs here, now: the median of fifty. Microseconds. */
function fsyncUs() {
  const file = openSync(path.join(directory, 'probe'), 'w');
  const times = Array.from({ length: 50 }, () => {
    writeSync(file, 'x');
    const startedMs = performance.now();
    fdatasyncSync(file);
    return (performance.now() - startedMs) * 1000;
  });
  closeSync(file);
  return Math.round(median(times));
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

const results = new Map(contenders.map(({ name }) => [name, []]));
const probes = [];
try {
  for (let round = 0; round < rounds; round++) {
    probes.push(fsyncUs());
    for (const contender of contenders) {
      const result = await run(contender);
      results.get(contender.name).push(result);
      console.error(`round ${round + 1}: ${contender.name}: ${result.jobsPerS} jobs/s${result.duplicates ? `, ${result.duplicates} DUPLICATES` : ''}`);
    }
  }
} finally {
  await mariadb.stop('SIGKILL');
  redis.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
const bullmq = results.get('BullMQ, appendfsync always').map(({ jobsPerS }) => jobsPerS);
console.log(
  `drain, ${jobs} no-op jobs, concurrency ${values.concurrency}, ${rounds} interleaved rounds, ${os.cpus().length} cores, fdatasync ${median(probes)} µs (${Math.min(...probes)}–${Math.max(...probes)})`,
);
console.log('contender\tmedian jobs/s\trange\tCPU s per 1000\t× BullMQ (median of rounds)\tduplicates');
for (const [name, all] of results) {
  const rates = all.map(({ jobsPerS }) => jobsPerS);
  const ratio = median(rates.map((rate, i) => rate / bullmq[i]));
  console.log(
    [
      name,
      median(rates),
      `${Math.min(...rates)}–${Math.max(...rates)}`,
      median(all.map(({ cpuSPer1000 }) => cpuSPer1000)),
      ratio.toFixed(2),
      all.reduce((sum, { duplicates }) => sum + duplicates, 0),
    ].join('\t'),
  );
}
writeFileSync(
  path.join(bench, 'results-drain.json'),
  `${JSON.stringify({ jobs, rounds, concurrency: values.concurrency, fsyncUs: probes, results: Object.fromEntries(results) }, null, 2)}\n`,
);
