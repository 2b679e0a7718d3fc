// BullMQ: added in one process, fetched by a blocking read in another.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';
import { measureLatency } from '../lib/latency.mjs';

const connect = () => new IORedis(process.env.BULLMQ_URL, { maxRetriesPerRequest: null });

await measureLatency({
  async produce() {
    const queue = new Queue('latency', { connection: connect() });
    return (seq) => queue.add('job', { seq });
  },
  async consume(handle) {
    const worker = new Worker('latency', async ({ data }) => handle(data.seq), {
      connection: connect(),
      concurrency: 10,
    });
    await worker.waitUntilReady();
  },
});
