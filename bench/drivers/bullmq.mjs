// BullMQ on a Redis that flushes its log with each write (appendfsync always): the durability that an InnoDB commit has.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';
import { drive, payloadOf } from '../lib/job.mjs';

const { BULLMQ_URL, CONCURRENCY } = process.env;
const connection = new IORedis(BULLMQ_URL, { maxRetriesPerRequest: null });

await drive({
  async seed(jobs) {
    await connection.flushall();
    const queue = new Queue('bench', { connection });
    for (let from = 0; from < jobs; from += 1000)
      await queue.addBulk(
        Array.from({ length: Math.min(1000, jobs - from) }, (_, i) => ({
          name: 'job',
          data: payloadOf(from + i),
        })),
      );
  },
  async start(handle, over) {
    const worker = new Worker('bench', ({ data }) => handle(data), {
      connection: connection.duplicate(),
      concurrency: Number(CONCURRENCY),
    });
    worker.on('completed', () => over());
    return () => worker.close();
  },
});
