// Low load: how long from the commit of a record to the start of its handler, in another process.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { flushes, fsyncUs, median, quantile, round, sleep, table } from '../lib/measure.mjs';
import { startServers } from '../lib/servers.mjs';

const EVERY_MS = 20;
const WARM_UP = 200;

export async function measure({ rounds, isQuick, withPostgres }) {
  const count = isQuick ? 200 : 500;
  const contenders = [
    { name: 'lunchbox', driver: 'latency-lunchbox' },
    { name: 'BullMQ, appendfsync always', driver: 'latency-bullmq' },
    ...(withPostgres ? [{ name: 'graphile-worker', driver: 'latency-graphile' }] : []),
  ];
  const servers = await startServers(['mariadb', 'redis', 'locks', ...(withPostgres ? ['postgres'] : [])]);
  const results = new Map(contenders.map(({ name }) => [name, []]));
  const fsync = [];
  try {
    for (let n = 0; n < rounds; n++) {
      fsync.push(fsyncUs(servers.directory));
      for (const { name, driver } of contenders) {
        const [producer, consumer] = [
          await open(driver, 'produce', servers.env),
          await open(driver, 'consume', servers.env),
        ];
        const from = n * 10_000;
        await producer.ask({ from, count: WARM_UP, everyMs: EVERY_MS });
        const committed = new Map(await producer.ask({ from: from + WARM_UP, count, everyMs: EVERY_MS }));
        await sleep(300);
        const started = new Map(await consumer.ask({}));
        const times = [...committed].map(([seq, atMs]) => started.get(seq) - atMs);
        if (times.some((time) => Number.isNaN(time))) throw new Error(`${name}: some were never handled`);
        // The consumer can be faster than the producer hears of its own commit: then it waited for nothing.
        const waits = times.map((time) => Math.max(0, time));
        results.get(name).push({
          p50: quantile(waits, 0.5),
          p99: quantile(waits, 0.99),
          max: Math.max(...waits),
          beforeHeard: times.filter((time) => time < 0).length,
        });
        console.error(
          `round ${n + 1}: ${name}: p50 ${round(quantile(waits, 0.5))} ms, p99 ${round(quantile(waits, 0.99))} ms`,
        );
        producer.close();
        consumer.close();
        await sleep(300);
      }
    }
  } finally {
    await servers.stop();
  }
  console.log(
    `\nlatency, commit to start of the handler, ${count} records every ${EVERY_MS} ms, ${rounds} interleaved rounds, ${flushes(fsync)}`,
  );
  const base = results.get('graphile-worker') ?? results.get('BullMQ, appendfsync always');
  console.log(
    table(
      ['contender', 'p50 ms', 'p99 ms', 'max ms', `p99 × ${withPostgres ? 'graphile-worker' : 'BullMQ'}`],
      [...results].map(([name, all]) => {
        const of = (key) => round(median(all.map((one) => one[key])));
        return [
          name,
          of('p50'),
          of('p99'),
          of('max'),
          median(all.map(({ p99 }, i) => p99 / base[i].p99)).toFixed(2),
        ];
      }),
    ),
  );
  return { rounds, count, everyMs: EVERY_MS, fsyncUs: fsync, results: Object.fromEntries(results) };
}

async function open(driver, part, env) {
  const child = fork(fileURLToPath(new URL(`../drivers/${driver}.mjs`, import.meta.url)), [part], {
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${driver} ${part} ended with ${code}`)));
  });
  return {
    ask: (what) =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send(what);
      }),
    close: () => child.disconnect(),
  };
}
