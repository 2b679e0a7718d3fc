/** `npm run sim -- --seeds 1000 [--first 1] [--without fence | --table] [--story [--about 'keeps 1500']]`: a seeded run of the whole flow; a violation names its seed, and its shortest story if asked for. */
import { parseArgs } from 'node:util';
import { mechanisms } from './mechanisms.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    without: { type: 'string' },
    story: { type: 'boolean', default: false },
    about: { type: 'string' },
    table: { type: 'boolean', default: false },
  },
});
const first = Number(values.first);
const last = first + Number(values.seeds) - 1;

async function run(name: string | undefined): Promise<number> {
  const startedMs = performance.now();
  const without = (name && mechanisms[name]) || {};
  const total = { seeds: 0, steps: 0, faults: 0, kills: 0, violations: 0 };
  for (let seed = first; seed <= last; seed++) {
    const result = await simulate(seed, { without });
    total.seeds += 1;
    total.steps += result.steps;
    total.faults += result.faults;
    total.kills += result.kills;
    if (result.violations.length === 0) continue;
    total.violations += 1;
    console.log(`seed ${seed}: ${result.violations.slice(0, 3).join(' · ')}`);
    if (values.story) {
      const short = await shrink(seed, { without }, values.about ? new RegExp(values.about) : undefined);
      console.log(
        [
          `  ${short.steps.length} steps, ${short.faults} faults:`,
          ...short.result.story,
          ...short.result.violations,
        ].join('\n  '),
      );
    }
    if (name) break; // found it
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${name ? `without ${name}: ` : ''}${total.seeds} seeds, ${total.steps} steps (${Math.round(total.steps / seconds)}/s), ${total.faults} faults, ${total.kills} kills, ${total.violations} violations, ${seconds.toFixed(1)} s`,
  );
  return total.violations;
}

if (values.table) {
  let missed = 0;
  for (const name of Object.keys(mechanisms)) if ((await run(name)) === 0) missed += 1;
  process.exit(missed > 0 ? 1 : 0);
}
if (values.without && !mechanisms[values.without]) {
  console.error(`no such mechanism; one of: ${Object.keys(mechanisms).join(', ')}`);
  process.exit(2);
}
const violations = await run(values.without);
process.exit(values.without ? 0 : violations > 0 ? 1 : 0);
