// pg-boss, tuned: lanes that fetch batches and fetch again at once while batches are full.
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { drive, payloadOf } from '../lib/job.mjs';

const { PG_URL, CONCURRENCY, LANES = '2' } = process.env;
const QUEUE = 'bench';

async function query(text) {
  const client = new pg.Client(PG_URL);
  await client.connect();
  await client.query(text).finally(() => client.end());
}

async function open() {
  const boss = new PgBoss({ connectionString: PG_URL, supervise: false, schedule: false, max: 20 });
  boss.on('error', (error) => console.error(error.message));
  await boss.start();
  return boss;
}

await drive({
  async seed(jobs) {
    await query('DROP SCHEMA IF EXISTS pgboss CASCADE');
    const boss = await open();
    await boss.createQueue(QUEUE, { retryLimit: 3 });
    for (let from = 0; from < jobs; from += 1000)
      await boss.insert(
        QUEUE,
        Array.from({ length: Math.min(1000, jobs - from) }, (_, i) => ({ data: payloadOf(from + i) })),
      );
    await boss.stop({ graceful: false });
    await query('VACUUM ANALYZE pgboss.job');
    await query('CHECKPOINT');
  },
  async start(handle, over) {
    const boss = await open();
    const batchSize = Math.max(2, Math.round(Number(CONCURRENCY) / Number(LANES)));
    await boss.work(
      QUEUE,
      { localConcurrency: Number(LANES), batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        await Promise.all(jobs.map(({ data }) => handle(data)));
        over(jobs.length); // completed right after this returns: a little early in its favour
      },
    );
    return () => boss.stop({ graceful: false });
  },
});
