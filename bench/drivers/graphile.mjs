// graphile-worker. MODE: default = a get_job and a complete_job for each job; tuned = a local queue and batched completion.
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { drive, payloadOf } from '../lib/job.mjs';

const { PG_URL, CONCURRENCY, MODE = 'default' } = process.env;
const logger = new Logger(() => () => {});

async function query(text) {
  const client = new pg.Client(PG_URL);
  await client.connect();
  await client.query(text).finally(() => client.end());
}

await drive({
  async seed(jobs) {
    await query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
    await runMigrations({
      connectionString: PG_URL,
      logger,
      preset: { worker: { connectionString: PG_URL, logger } },
    });
    const utils = await makeWorkerUtils({ connectionString: PG_URL, logger });
    for (let from = 0; from < jobs; from += 1000)
      await utils.addJobs(
        Array.from({ length: Math.min(1000, jobs - from) }, (_, i) => ({
          identifier: 'job',
          payload: payloadOf(from + i),
          maxAttempts: 4,
        })),
      );
    await utils.release();
    await query('VACUUM ANALYZE graphile_worker._private_jobs');
    await query('CHECKPOINT');
  },
  async start(handle, over) {
    const concurrency = Number(CONCURRENCY);
    const tuned =
      MODE === 'tuned'
        ? {
            localQueue: { size: Math.max(100, 2 * concurrency) },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          }
        : {};
    const preset = {
      worker: {
        connectionString: PG_URL,
        concurrentJobs: concurrency,
        pollInterval: 2000,
        maxPoolSize: 10,
        logger,
        ...tuned,
      },
    };
    const events = new EventEmitter();
    events.on('job:complete', () => over()); // batched completion: told when the batch is under way, a little early in its favour
    const runner = await run({
      preset,
      logger,
      events,
      noHandleSignals: true,
      taskList: { job: (payload) => handle(payload) },
    });
    return () => runner.stop();
  },
});
