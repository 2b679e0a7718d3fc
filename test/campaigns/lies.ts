/**
 * `npm run test:lies [-- --processes 2 --shops 5 --share 1 --fresh]`: every pair of faults on two different calls of an order's story. Each story's end is appended to
 * .cache/lies/<process>.jsonl at once, and a run that was interrupted goes on from there. Exits 1 if any story broke a promise.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Crowd } from '../lies/crowd.js';
import { Shop } from '../lies/shop.js';
import { isSampled, nameOf, PAIRS, shuffle } from '../lies/singles.js';

interface Line {
  readonly name: string;
  readonly ms: number;
  readonly heard: string;
  readonly end: string;
  readonly named: string;
  readonly violations: readonly string[];
}

const text = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: {
    processes: text('2'),
    shops: text('5'),
    share: text('1'),
    index: { type: 'string' },
    fresh: { type: 'boolean', default: false },
  },
});
const PROCESSES = Number(values.processes);
const DIRECTORY = fileURLToPath(new URL('../../.cache/lies', import.meta.url));
const PROGRESS_EVERY = 500;
const fileOf = (index: number): string => path.join(DIRECTORY, `${index}.jsonl`);
const pairs = PAIRS.map((pair, n) => ({ pair, n }))
  .filter(({ n }) => isSampled(n, Number(values.share)))
  .sort((a, b) => shuffle(a.n) - shuffle(b.n))
  .map(({ pair }) => pair);

process.exitCode = values.index === undefined ? await all() : await part(Number(values.index));

/** One process a core; then what they wrote. */
async function all(): Promise<number> {
  if (values.fresh) rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true });
  const [tsx, main] = [
    fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url)),
    fileURLToPath(import.meta.url),
  ];
  const children = Array.from({ length: PROCESSES }, (_none, index) =>
    spawn(process.execPath, [tsx, main, ...process.argv.slice(2), '--index', String(index)], {
      stdio: 'inherit',
    }),
  );
  await Promise.all(children.map((child) => new Promise((resolve) => child.on('exit', resolve))));
  return report(Array.from({ length: PROCESSES }, (_none, index) => read(fileOf(index))).flat());
}

async function part(index: number): Promise<number> {
  const done = new Set(read(fileOf(index)).map(({ name }) => name));
  const mine = pairs.filter((_pair, n) => n % PROCESSES === index).filter((pair) => !done.has(nameOf(pair)));
  const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-lies-'));
  let shops = 0;
  const crowd = await Crowd.open(Number(values.shops), () =>
    Shop.open(`sqlite:${path.join(directory, `${++shops}.db`)}`),
  );
  let told = 0;
  const tellRest = async (): Promise<void> => {
    for (let pair = mine.shift(); pair; pair = mine.shift()) {
      const startedAt = Date.now();
      const { heard, end, named, violations } = await crowd.tell(pair);
      const line: Line = {
        name: nameOf(pair),
        ms: Date.now() - startedAt,
        heard: heard.join(', '),
        end,
        named,
        violations,
      };
      appendFileSync(fileOf(index), `${JSON.stringify(line)}\n`);
      told += 1;
      if (violations.length > 0 || told % PROGRESS_EVERY === 0)
        console.log(
          `${index}: ${told} told, ${mine.length} to come. ${violations.length > 0 ? JSON.stringify(line) : ''}`,
        );
    }
  };
  await Promise.all(Array.from({ length: Number(values.shops) }, tellRest));
  await crowd.close();
  rmSync(directory, { recursive: true, force: true });
  return 0;
}

function report(lines: readonly Line[]): number {
  const broken = lines.filter(({ violations }) => violations.length > 0);
  const ends = new Map<string, number>();
  for (const { end } of lines) ends.set(end, (ends.get(end) ?? 0) + 1);
  for (const line of broken) console.log(JSON.stringify(line));
  for (const [end, times] of [...ends].sort((a, b) => b[1] - a[1]))
    console.log(`${String(times).padStart(6)}  ${end}`);
  const called = lines.filter(({ named }) => named !== 'no').length;
  console.log(
    `${lines.length} of ${pairs.length} stories told; a person was called in ${called}; ${broken.length} broke a promise`,
  );
  return broken.length > 0 || lines.length < pairs.length ? 1 : 0;
}

/** A line that was cut off by a kill is told again. */
function read(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return [];
      }
    });
}
