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
  version: 1,
  schema: z.object({ seq: z.number(), orderId: z.string(), orderNo: z.string(), userId: z.string(), amountInCent: z.number() }),
  example: payloadOf(1),
  dedupeKey: ({ seq }) => String(seq),
  orderingKey: () => null,
};

const columns = 'type, status, payload, payload_version, dedupe_key, ordering_key, run_at, queue_at, created_at, settled_at';

async function insert(kind, count, row) {
  for (let from = 0; from < count; from += 2000)
    await database.execute(
      sql`INSERT INTO outbox_event (${raw(columns)}) VALUES ${raw(Array.from({ length: Math.min(2000, count - from) }, (_, i) => row(from + i, `BENCH:${kind}:${from + i}`)).join(','))}`,
    );
}

async function seed(jobs) {
  await migrate(database);
  for (const table of ['event_attempt', 'outbox_event']) await database.execute(sql`TRUNCATE TABLE ${raw(table)}`);
  // What was handled before: doubled within the server until there is enough.
  if (Number(HANDLED) > 0) {
    await insert(
      'handled',
      1000,
      (seq, key) =>
        `('BENCH', 'handled', '${JSON.stringify(payloadOf(seq))}', 1, '${key}', 'k${seq}', UTC_TIMESTAMP(3), NULL, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    );
    for (let count = 1000; count < Number(HANDLED); count *= 2)
      await database.execute(sql`
        INSERT INTO outbox_event (${raw(columns)}) SELECT type, status, payload, payload_version, CONCAT('h', ${count}, '-', id), CONCAT('k', ${count}, '-', id), run_at, NULL, created_at, settled_at
        FROM outbox_event ORDER BY id LIMIT ${raw(String(Math.min(count, Number(HANDLED) - count)))}`);
  }
  // Each of these waits behind a key whose first event is stuck: it snoozes for a day.
  await insert(
    'stuck',
    Number(BLOCKED),
    (seq, key) => `('BENCH', 'pending', '{}', 1, '${key}', 'b${seq}', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 DAY, UTC_TIMESTAMP(3), NULL)`,
  );
  await insert('blocked', Number(BLOCKED), (seq, key) => `('BENCH', 'pending', '{}', 1, '${key}', 'b${seq}', UTC_TIMESTAMP(3), NULL, UTC_TIMESTAMP(3), NULL)`);
  // One key with many: the first may run, the others wait for it.
  const before = Number(ONE_KEY);
  await insert(
    'one-key',
    before,
    (seq, key) =>
      `('BENCH', 'pending', '${JSON.stringify(payloadOf(jobs + seq))}', 1, '${key}', 'one', UTC_TIMESTAMP(3), ${seq === 0 ? 'UTC_TIMESTAMP(3)' : 'NULL'}, UTC_TIMESTAMP(3), NULL)`,
  );
  await insert(
    'job',
    jobs,
    (seq, key) => `('BENCH', 'pending', '${JSON.stringify(payloadOf(seq))}', 1, '${key}', NULL, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), NULL)`,
  );
  await database.query(sql`ANALYZE TABLE outbox_event`);
  await database.close();
}

await drive({
  seed,
  async start(handle, over) {
    const handler = {
      definition,
      target: 'bench',
      limits: { deadlineMs: 30_000, maxSnoozeMs: 1_000 },
      async handle({ payload }) {
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
    outbox.signals.on('attempt-ended', ({ status }) => status === 'handled' && over());
    for (const signal of ['settle-failed', 'sweep-failed', 'renew-failed']) outbox.signals.on(signal, ({ error }) => console.error(signal, error));
    const poller = new Poller(outbox, { cron: '*/15 * * * * *', lookAheadMs: 15_000 });
    poller.start();
    return async () => {
      await poller.stop();
      await outbox.drain(1_000);
      await database.close();
    };
  },
});
