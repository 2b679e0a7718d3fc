// What every driver does the same: it seeds, says that it is ready, drains when told to, counts its CPU from when it is told to, and counts each job once.
import http from 'node:http';
import { monotonicMs } from './measure.mjs';

/** No-op, or one keep-alive call to the partner; by node:http, so that no client library is measured. */
function handlerOf(kind) {
  if (kind !== 'http') return async () => {};
  const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
  const options = {
    host: '127.0.0.1',
    port: Number(process.env.PARTNER_PORT),
    method: 'POST',
    path: '/',
    agent,
    headers: { 'content-type': 'application/json' },
  };
  return (payload) =>
    new Promise((resolve, reject) => {
      const request = http.request(options, (response) => {
        response.resume();
        response.once('end', resolve);
        response.once('error', reject);
      });
      request.once('error', reject);
      request.end(JSON.stringify(payload));
    });
}

/** A job's payload, about as large as an event's. */
export const payloadOf = (seq) => ({
  seq,
  orderId: String(seq),
  orderNo: `B20261121${String(seq).padStart(8, '0')}`,
  userId: `u${seq % 5000}`,
  amountInCent: 1880,
});

/**
 * A driver is a process: `seed` (argument) fills its store and ends; `drain` tells its parent that it is ready, starts when told to, and
 * reports how many jobs are over. A job is over when its store says so (`over`), not when its handler (`handle`) has returned.
 */
export async function drive({ seed, start }) {
  if (process.argv[2] === 'seed') {
    await seed(Number(process.env.JOBS));
    process.exit(0);
  }
  const inner = handlerOf(process.env.HANDLER);
  const handled = [];
  const startedAt = [];
  let overCount = 0;
  let lastMs = 0;
  const handle = async (payload) => {
    startedAt.push(monotonicMs());
    handled.push(payload.seq);
    await inner(payload);
  };
  const over = (count = 1) => {
    overCount += count;
    lastMs = monotonicMs();
  };
  let cpu;
  let stop;
  setInterval(() => process.send?.({ kind: 'progress', overCount, lastMs }), 10);
  process.on('message', async ({ kind }) => {
    if (kind === 'go') {
      stop = await start(handle, over);
    } else if (kind === 'count') {
      cpu = process.cpuUsage();
    } else if (kind === 'measure') {
      const { user, system } = process.cpuUsage(cpu);
      process.send({
        kind: 'measured',
        cpuS: (user + system) / 1e6,
        rssMib: process.memoryUsage().rss / 2 ** 20,
        handled,
        startedAt,
      });
    } else if (kind === 'stop') {
      await Promise.race([
        Promise.resolve(stop?.()).catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, 3_000)),
      ]);
      process.exit(0);
    }
  });
  process.on('disconnect', () => process.exit(1));
  process.send({ kind: 'ready' });
}
