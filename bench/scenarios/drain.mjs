// How fast a full table is emptied, side by side with the peers; with a handler that does nothing, and with one that calls a partner for 20 ms.
import { against, flushes, fsyncUs, median, round, table } from '../lib/measure.mjs';
import { drain, mariadbCounters } from '../lib/run.mjs';
import { startServers } from '../lib/servers.mjs';

const noop = [
  { name: 'lunchbox', driver: 'lunchbox', store: 'mariadb', env: {} },
  { name: 'lunchbox, SCHEDULER_BATCH_SIZE 100', driver: 'lunchbox', store: 'mariadb', env: { BATCH: '100' } },
  { name: 'lunchbox, four processes', driver: 'lunchbox', store: 'mariadb', env: {}, workers: 4 },
  { name: 'textbook loop', driver: 'textbook', store: 'mariadb', env: {} },
  { name: 'textbook loop, fifty at once', driver: 'textbook', store: 'mariadb', env: { MODE: 'at-once' } },
  { name: 'BullMQ, appendfsync always', driver: 'bullmq', store: 'redis', env: {} },
  { name: 'graphile-worker, defaults', driver: 'graphile', store: 'postgres', env: {} },
  { name: 'graphile-worker, tuned', driver: 'graphile', store: 'postgres', env: { MODE: 'tuned' } },
  { name: 'pg-boss, tuned', driver: 'pgboss', store: 'postgres', env: {} },
];
const http = [
  { name: 'ceiling: the calls alone', driver: 'ceiling', store: 'none', env: {} },
  { name: 'lunchbox', driver: 'lunchbox', store: 'mariadb', env: {} },
  { name: 'BullMQ, appendfsync always', driver: 'bullmq', store: 'redis', env: {} },
  { name: 'graphile-worker, tuned', driver: 'graphile', store: 'postgres', env: { MODE: 'tuned' } },
];

export async function measure({
  rounds,
  jobs,
  concurrency,
  only,
  withPostgres,
  handlers = ['noop', 'http'],
}) {
  const chosen = (contenders) =>
    contenders.filter(
      ({ name, store }) => (withPostgres || store !== 'postgres') && (!only || name.includes(only)),
    );
  const servers = await startServers(['mariadb', 'redis', 'partner', ...(withPostgres ? ['postgres'] : [])]);
  const counters = await mariadbCounters(servers.env.DATABASE_URL);
  const report = { rounds, jobs, concurrency, fsyncUs: [], parts: {} };
  try {
    for (const handler of handlers) {
      const contenders = chosen(handler === 'http' ? http : noop);
      const results = new Map(contenders.map(({ name }) => [name, []]));
      // http: a handler of 20 ms bounds the rate; a quarter of the jobs is enough.
      const count = handler === 'http' ? Math.ceil(jobs / 2) : jobs;
      for (let n = 0; n < rounds; n++) {
        report.fsyncUs.push(fsyncUs(servers.directory));
        for (const contender of contenders) {
          const isMariadb = contender.store === 'mariadb';
          const result = await drain(contender, {
            env: { ...servers.env, CONCURRENCY: String(concurrency), HANDLER: handler },
            jobs: count,
            warmUp: count / 4,
            workers: contender.workers,
            storePid: contender.store === 'postgres' ? undefined : servers.pids[contender.store],
            counters: isMariadb ? counters.read : undefined,
          });
          results.get(contender.name).push(result);
          console.error(
            `${handler}, round ${n + 1}: ${contender.name}: ${result.jobsPerS} jobs/s${result.duplicates ? `, ${result.duplicates} DUPLICATES` : ''}`,
          );
        }
      }
      report.parts[handler] = Object.fromEntries(results);
      print(handler, results, { jobs: count, concurrency, rounds, fsync: report.fsyncUs });
    }
  } finally {
    await counters.end();
    await servers.stop();
  }
  return report;
}

function print(handler, results, { jobs, concurrency, rounds, fsync }) {
  const base = handler === 'http' ? 'ceiling: the calls alone' : 'BullMQ, appendfsync always';
  const baseRates = results.get(base)?.map(({ jobsPerS }) => jobsPerS);
  const of = (all, key) => (all[0][key] === undefined ? '' : round(median(all.map((one) => one[key])), 3));
  console.log(
    `\ndrain, ${handler === 'http' ? 'a call of 20 ms' : 'no-op'}, ${jobs} jobs, concurrency ${concurrency}, after ${jobs / 4} to warm up, ${rounds} interleaved rounds, ${flushes(fsync)}`,
  );
  console.log(
    table(
      [
        'contender',
        'median jobs/s',
        'range',
        `× ${base}`,
        'CPU s/1000',
        'store CPU s/1000',
        'statements/job',
        'fsyncs/job',
        'RSS MiB',
        'duplicates',
      ],
      [...results].map(([name, all]) => {
        const rates = all.map(({ jobsPerS }) => jobsPerS);
        return [
          name,
          ...against(rates, baseRates),
          of(all, 'cpuSPer1000'),
          of(all, 'storeCpuSPer1000') || '',
          of(all, 'statementsPerJob'),
          of(all, 'fsyncsPerJob'),
          of(all, 'rssMib'),
          all.reduce((sum, { duplicates }) => sum + duplicates, 0),
        ];
      }),
    ),
  );
}
