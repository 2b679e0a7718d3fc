// `npm run bench -- drain|latency|growth|orders|rush|idle|all|quick`: private servers, interleaved rounds, medians and ratios; a table, and a JSON file in bench/results/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../scripts/ensure-built.mjs';

const bench = fileURLToPath(new URL('.', import.meta.url));
const scenarios = ['drain', 'latency', 'growth', 'orders', 'rush', 'idle'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    jobs: { type: 'string' },
    concurrency: { type: 'string', default: '50' },
    only: { type: 'string' },
    minutes: { type: 'string' },
    handler: { type: 'string' },
    'without-postgres': { type: 'boolean', default: false },
  },
});
const [what = 'quick'] = positionals;
if (![...scenarios, 'all', 'quick'].includes(what)) {
  console.error(
    `npm run bench -- ${[...scenarios, 'all', 'quick'].join('|')} [--rounds n] [--jobs n] [--concurrency n] [--only name] [--minutes n] [--without-postgres]`,
  );
  process.exit(2);
}

ensureBuilt();
const wanted = Object.keys(JSON.parse(readFileSync(path.join(bench, 'package.json'), 'utf8')).dependencies);
// No lock file: BullMQ's optional packages for other platforms make `npm ci` refuse one.
if (!wanted.every((name) => existsSync(path.join(bench, 'node_modules', name))))
  execFileSync(
    'npm',
    ['install', '--no-package-lock', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd: bench,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );

const isQuick = what === 'quick';
const options = {
  rounds: Number(values.rounds ?? (isQuick ? 1 : 5)),
  jobs: Number(values.jobs ?? (isQuick ? 5_000 : 20_000)),
  concurrency: Number(values.concurrency),
  only: values.only,
  minutes: values.minutes === undefined ? undefined : Number(values.minutes),
  withPostgres: !isQuick && !values['without-postgres'],
  ...(values.handler ? { handlers: [values.handler] } : {}),
  isQuick,
};
const machine = {
  cores: os.cpus().length,
  cpu: os.cpus()[0]?.model,
  memoryGib: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
};
mkdirSync(path.join(bench, 'results'), { recursive: true });
for (const name of what === 'all' ? scenarios : isQuick ? ['drain', 'latency'] : [what]) {
  const { measure } = await import(`./scenarios/${name}.mjs`);
  const report = await measure(options);
  writeFileSync(
    path.join(bench, 'results', `${name}.json`),
    `${JSON.stringify({ machine, at: new Date().toISOString(), ...report }, null, 2)}\n`,
  );
}
process.exit(0);
