// The same drain in a table that is empty, that holds a million and five million handled events, that holds a hundred thousand blocked ones, and one key with many.
import { against, flushes, fsyncUs, median, table } from '../lib/measure.mjs';
import { drain, mariadbCounters } from '../lib/run.mjs';
import { startServers } from '../lib/servers.mjs';

const variants = [
  { name: 'empty', env: {} },
  { name: '1,000,000 handled', env: { HANDLED: '1000000' } },
  { name: '5,000,000 handled', env: { HANDLED: '5000000' } },
  { name: '100,000 blocked behind a stuck key each', env: { BLOCKED: '100000' } },
  { name: 'one key with 10,000, running in order', env: { ONE_KEY: '10000' } },
];

export async function measure({ rounds, jobs, concurrency, only, isQuick }) {
  const chosen = variants
    .filter(({ name }) => name === 'empty' || !only || name.includes(only))
    .filter(({ env }) => !isQuick || !env.HANDLED?.startsWith('5'));
  const servers = await startServers(['mariadb'], { bufferPool: '4G' });
  const mysql = (await import('mysql2/promise')).default;
  const root = await mysql.createConnection(servers.env.DATABASE_URL);
  const results = new Map(chosen.map(({ name }) => [name, []]));
  const fsync = [];
  const explained = [];
  try {
    const contenders = [];
    for (const [i, { name, env }] of chosen.entries()) {
      await root.query(`CREATE DATABASE growth${i} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
      const url = new URL(servers.env.DATABASE_URL);
      url.pathname = `/growth${i}`;
      contenders.push({
        name,
        driver: 'lunchbox',
        env: { ...env, KEEP_BASE: '1', DATABASE_URL: String(url) },
      });
    }
    for (let n = 0; n < rounds; n++) {
      fsync.push(fsyncUs(servers.directory));
      for (const contender of contenders) {
        const counters = await mariadbCounters(contender.env.DATABASE_URL);
        const result = await drain(contender, {
          env: { CONCURRENCY: String(concurrency), HANDLER: 'noop' },
          jobs,
          warmUp: jobs / 4,
          storePid: servers.pids.mariadb,
          counters: counters.read,
        });
        await counters.end();
        results.get(contender.name).push(result);
        console.error(
          `round ${n + 1}: ${contender.name}: ${result.jobsPerS} jobs/s${result.duplicates ? `, ${result.duplicates} DUPLICATES` : ''}`,
        );
      }
    }
    const largest = contenders.findLast(({ env }) => env.HANDLED) ?? contenders[0];
    explained.push(...(await explain(root, new URL(largest.env.DATABASE_URL).pathname.slice(1))));
  } finally {
    await root.end();
    await servers.stop();
  }
  const empty = results.get('empty').map(({ jobsPerS }) => jobsPerS);
  console.log(
    `\ngrowth, no-op, ${jobs} jobs, concurrency ${concurrency}, after ${jobs / 4} to warm up, ${rounds} interleaved rounds, ${flushes(fsync)}`,
  );
  console.log(
    table(
      ['table holds', 'median jobs/s', 'range', '× empty', 'store CPU s/1000', 'duplicates'],
      [...results].map(([name, all]) => {
        const rates = all.map(({ jobsPerS }) => jobsPerS);
        return [
          name,
          ...against(rates, empty),
          median(all.map(({ storeCpuSPer1000 }) => storeCpuSPer1000)),
          all.reduce((sum, { duplicates }) => sum + duplicates, 0),
        ];
      }),
    ),
  );
  for (const { what, plan } of explained) console.log(`${what}: ${plan}`);
  return { rounds, jobs, concurrency, fsyncUs: fsync, results: Object.fromEntries(results), explained };
}

/** The plans of the hot statements on the fullest table. */
async function explain(root, database) {
  await root.query(`USE ${database}`);
  const notPaused =
    'AND type NOT IN (SELECT type FROM event_pause WHERE until_at > UTC_TIMESTAMP(3) AND ended_at IS NULL)';
  const statements = {
    'claim, longest due': `SELECT id FROM outbox_event FORCE INDEX (outbox_event_queue) WHERE queue_at <= UTC_TIMESTAMP(3) ${notPaused} ORDER BY queue_at, id LIMIT 100 FOR UPDATE SKIP LOCKED`,
    'claim, going on': `SELECT id FROM outbox_event FORCE INDEX (outbox_event_queue) WHERE queue_at <= UTC_TIMESTAMP(3) ${notPaused} AND (queue_at > UTC_TIMESTAMP(3) - INTERVAL 5 SECOND OR (queue_at = UTC_TIMESTAMP(3) - INTERVAL 5 SECOND AND id > 5)) ORDER BY queue_at, id LIMIT 100 FOR UPDATE SKIP LOCKED`,
    'claim, earliest deadline': `SELECT id FROM outbox_event FORCE INDEX (outbox_event_urgent) WHERE urgent_at IS NOT NULL AND queue_at <= UTC_TIMESTAMP(3) ${notPaused} ORDER BY urgent_at, id LIMIT 100 FOR UPDATE SKIP LOCKED`,
    'claim, rivals of the keys':
      "SELECT id FROM outbox_event FORCE INDEX (outbox_event_queued_key) WHERE queued_key IN ('k1', 'k2', 'k3')",
    'settle, by id':
      "UPDATE outbox_event FORCE INDEX (PRIMARY) SET queue_at = NULL WHERE id IN (1, 2, 3) AND attempt = 1 AND status = 'pending' AND lease_until IS NOT NULL",
    'settle, next of the key':
      "SELECT id, queue_at FROM outbox_event FORCE INDEX (outbox_event_pending_key) WHERE pending_key = 'k1' ORDER BY id LIMIT 1",
    'an idle tick':
      'SELECT queue_at FROM outbox_event WHERE queue_at <= UTC_TIMESTAMP(3) + INTERVAL 15 SECOND ORDER BY queue_at LIMIT 1',
    prune:
      "SELECT id FROM outbox_event WHERE status = 'handled' AND settled_at < UTC_TIMESTAMP(3) - INTERVAL 90 DAY ORDER BY settled_at LIMIT 200",
  };
  const plans = [];
  for (const [what, statement] of Object.entries(statements)) {
    const [rows] = await root.query(`EXPLAIN ${statement}`);
    plans.push({
      what,
      plan: rows
        .map((row) => `${row.table}: ${row.type} by ${row.key}, ${row.rows} rows, ${row.Extra || '–'}`)
        .join('; '),
    });
  }
  return plans;
}
