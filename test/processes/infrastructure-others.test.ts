import path from 'node:path';
import { describe, it } from 'vitest';
import { sleep } from '../support/load.js';
import { launch, root } from '../support/processes.js';
import { useProduction } from '../support/production.js';

/** A whole production under load, while something is done to Redis and the clocks. */
describe('Redis and clocks that fail under load', { timeout: 300_000 }, () => {
  const production = useProduction();

  it('Redis is killed, emptied and paused', async () => {
    await production.begin();
    await production.under(async () => {
      for (let i = 0; i < 10; i++) {
        const client = launch(
          [
            '-e',
            `const s=require('net').connect(${production.redis.port},'127.0.0.1');s.write('FLUSHALL\\r\\n');s.once('data',()=>process.exit(0))`,
          ],
          {},
        );
        await client.ended;
        await sleep(50);
      }
      production.redis.child.kill('SIGSTOP');
      await sleep(2_500);
      production.redis.child.kill('SIGCONT');
      await sleep(300);
      await production.redis.stop('SIGKILL');
      await sleep(1_500);
      await production.startRedis();
    });
    await production.agree();
  });

  it('clocks ten minutes off, one process ahead and one behind: leases, due times and signatures hold', async () => {
    const skewed = (ms: number) => ({
      NODE_OPTIONS: `--import ${path.join(root, 'test', 'support', 'skew.mjs')}`,
      CLOCK_SKEW_MS: String(ms),
    });
    await production.begin([skewed(-600_000), skewed(600_000), skewed(-600_000)]);
    production.sandbox.faults.useChance({ seed: 5, probability: 0.05 });
    await production.under(() => sleep(4_000));
    production.sandbox.faults.clear();
    await production.agree();
  });
});
