// BullMQ on a Redis that flushes its log with each write (appendfsync always): the durability that an InnoDB commit has.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';
import { counter, measured } from './job.mjs';

const { REDIS_URL, JOBS, CONCURRENCY } = process.env;
const jobs = Number(JOBS);
const connection = new IORedis(REDIS_URL, { maxRetriesPerRequest: null });
await connection.flushall();
const queue = new Queue('bench', { connection });
for (let from = 0; from < jobs; from += 1000)
  await queue.addBulk(Array.from({ length: Math.min(1000, jobs - from) }, (_, i) => ({ name: 'noop', data: { seq: from + i } })));
const count = counter(jobs);
await measured(jobs, async () => {
  const worker = new Worker('bench', async ({ data }) => count.handle(data.seq), { connection: connection.duplicate(), concurrency: Number(CONCURRENCY) });
  worker.on('completed', () => count.over());
  await count.done;
  return count.duplicates();
});
process.exit(0);
