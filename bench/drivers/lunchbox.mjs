// One scheduler process's engine: claim, lease, journal, handler, fenced settling. BATCH is SCHEDULER_BATCH_SIZE, all else as the scheduler sets it.
import { z } from 'zod';
import { Database } from '../../dist/database/database.js';
import { migrate } from '../../dist/database/migrate.js';
import { raw, sql } from '../../dist/database/sql.js';
import { Outbox } from '../../dist/outbox/outbox.js';
import { Poller } from '../../dist/outbox/poll.js';
import { drive, payloadOf } from '../lib/job.mjs';

const { DATABASE_URL, CONCURRENCY, BATCH = '10', HANDLED = '0', BLOCKED = '0', ONE_KEY = '0' } = process.env;
const database = await Database.open({ url: DATABASE_URL, poolSize: 20, statementTimeoutMs: 300_000 });

const definition = {
  type: 'BENCH',
  target: 'bench',
  version: 1,
  schema: z.object({
    seq: z.number(),
    orderId: z.string(),
    orderNo: z.string(),
    userId: z.string(),
    amountInCent: z.number(),
  }),
  example: payloadOf(1),
  dedupeKey: ({ seq }) => String(seq),
  orderingKey: () => null,
};

const columns =
  'type, status, payload, payload_version, dedupe_key, ordering_key, run_at, queue_at, created_at, settled_at';

async function insert(kind, count, row) {
  for (let from = 0; from < count; from += 2000)
    await database.execute(
      sql`INSERT INTO outbox_event (${raw(columns)}) VALUES ${raw(Array.from({ length: Math.min(2000, count - from) }, (_, i) => row(from + i, `BENCH:${kind}:${from + i}`)).join(','))}`,
    );
}

/** What the drain meets besides its jobs; there once, and left by every drain as it was. */
async function seedBase(jobs) {
  // What was handled before: doubled within the server until there is enough.
  if (Number(HANDLED) > 0) {
    const handled = (seq, key) =>
      `('BENCH', 'handled', '${JSON.stringify(payloadOf(seq))}', 1, '${key}', 'k${seq}', UTC_TIMESTAMP(3), NULL, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`;
    await insert('handled', 1000, handled);
    for (let count = 1000; count < Number(HANDLED); count *= 2)
      await database.execute(sql`
        INSERT INTO outbox_event (${raw(columns)}) SELECT type, status, payload, payload_version, CONCAT('h', ${count}, '-', id), CONCAT('k', ${count}, '-', id), run_at, NULL, created_at, settled_at
        FROM outbox_event ORDER BY id LIMIT ${raw(String(Math.min(count, Number(HANDLED) - count)))}`);
  }
  // Each of these waits behind a key whose first event is stuck: it snoozes for a day.
  const pending = (key, orderingKey, queueAt, payload = '{}') =>
    `('BENCH', 'pending', '${payload}', 1, '${key}', ${orderingKey}, UTC_TIMESTAMP(3), ${queueAt}, UTC_TIMESTAMP(3), NULL)`;
  await insert('stuck', Number(BLOCKED), (seq, key) =>
    pending(key, `'b${seq}'`, 'UTC_TIMESTAMP(3) + INTERVAL 1 DAY'),
  );
  await insert('blocked', Number(BLOCKED), (seq, key) => pending(key, `'b${seq}'`, 'NULL'));
  // One key with many: the first may run, each of the others after the one before it.
  await insert('one-key', Number(ONE_KEY), (seq, key) =>
    pending(key, "'one'", seq === 0 ? 'UTC_TIMESTAMP(3)' : 'NULL', JSON.stringify(payloadOf(jobs + seq))),
  );
}

async function seed(jobs) {
  await migrate(database);
  await database.execute(sql`TRUNCATE TABLE event_attempt`);
  const [{ count }] = await database.query(
    sql`SELECT COUNT(*) AS count FROM (SELECT 1 FROM outbox_event LIMIT 1) AS some`,
  );
  if (process.env.KEEP_BASE !== '1' || Number(count) === 0 || Number(ONE_KEY) > 0) {
    await database.execute(sql`TRUNCATE TABLE outbox_event`);
    await seedBase(jobs);
  }
  // The jobs of the drain before this one.
  for (let deleted = 1; deleted > 0; )
    deleted = (
      await database.execute(
        sql`DELETE FROM outbox_event WHERE dedupe_key LIKE 'BENCH:job:%' ORDER BY dedupe_key LIMIT 5000`,
      )
    ).affected;
  // The server clears away what was deleted; that is no part of the drain.
  await database.execute(sql`SET GLOBAL innodb_max_purge_lag_wait = 0`);
  await insert(
    'job',
    jobs,
    (seq, key) =>
      `('BENCH', 'pending', '${JSON.stringify(payloadOf(seq))}', 1, '${key}', NULL, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), NULL)`,
  );
  await database.query(sql`ANALYZE TABLE outbox_event`);
  await database.close();
}

await drive({
  seed,
  async start(handle, over) {
    const jobs = Number(process.env.JOBS);
    const handler = {
      definition,
      limits: { deadlineMs: 30_000, maxSnoozeMs: 1_000 },
      async handle({ payload }) {
        if (payload.seq >= jobs)
          return { kind: 'done', outcome: 'applied', note: 'one of the key with many' };
        await handle(payload);
        return { kind: 'done', outcome: 'applied', note: 'done' };
      },
    };
    const outbox = new Outbox(database, [handler], {
      leaseMs: 10_000,
      failuresMax: 3,
      retryDelayMs: 15_000,
      batchSize: Number(BATCH),
      concurrencyPerTarget: Number(CONCURRENCY),
    });
    outbox.signals.on(
      'attempt-ended',
      ({ status, decision }) => status === 'handled' && decision === 'done' && over(),
    );
    for (const signal of ['settle-failed', 'sweep-failed', 'renew-failed'])
      outbox.signals.on(signal, ({ error }) => console.error(signal, error));
    const poller = new Poller(outbox, { cron: '*/15 * * * * *', lookAheadMs: 15_000 });
    poller.start();
    return async () => {
      await poller.stop();
      await outbox.drain(1_000);
      await database.close();
    };
  },
});
