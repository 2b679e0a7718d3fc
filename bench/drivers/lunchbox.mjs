// One scheduler process's engine: claim, lease, journal, handler, fenced settling. BATCH is SCHEDULER_BATCH_SIZE.
import { z } from 'zod';
import { Database } from '../../dist/database/database.js';
import { migrate } from '../../dist/database/migrate.js';
import { raw, sql } from '../../dist/database/sql.js';
import { Outbox } from '../../dist/outbox/outbox.js';
import { Poller } from '../../dist/outbox/poll.js';
import { counter, measured } from './job.mjs';

const { DATABASE_URL, JOBS, CONCURRENCY, BATCH = '10', HANDLED = '0' } = process.env;
const jobs = Number(JOBS);
const database = await Database.open({ url: DATABASE_URL, poolSize: 20, statementTimeoutMs: 300_000 });
await migrate(database);
for (const table of ['event_attempt', 'outbox_event']) await database.execute(sql`TRUNCATE TABLE ${raw(table)}`);

async function seed(count, status) {
  const pending = status === 'pending';
  for (let from = 0; from < count; from += 2000) {
    const rows = Array.from(
      { length: Math.min(2000, count - from) },
      (_, i) =>
        `('NOOP', '${status}', '{"seq":${from + i}}', 1, 'NOOP:${status}:${from + i}', UTC_TIMESTAMP(3), ${pending ? 'UTC_TIMESTAMP(3)' : 'NULL'}, UTC_TIMESTAMP(3), ${pending ? 'NULL' : 'UTC_TIMESTAMP(3)'})`,
    );
    await database.execute(
      sql`INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, queue_at, created_at, settled_at) VALUES ${raw(rows.join(','))}`,
    );
  }
}
await seed(Number(HANDLED), 'handled');
await seed(jobs, 'pending');

const count = counter(jobs);
const handler = {
  definition: {
    type: 'NOOP',
    version: 1,
    schema: z.object({ seq: z.number() }),
    example: { seq: 1 },
    dedupeKey: ({ seq }) => String(seq),
    orderingKey: () => null,
  },
  target: 'noop',
  limits: { deadlineMs: 30_000, maxSnoozeMs: 1_000 },
  async handle({ payload }) {
    count.handle(payload.seq);
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
outbox.signals.on('attempt-ended', () => count.over());
outbox.signals.on('settle-failed', ({ error }) => console.error(error));
const poller = new Poller(outbox, { cron: '*/15 * * * * *', lookAheadMs: 15_000 });
await measured(jobs, async () => {
  poller.start();
  await count.done;
  return count.duplicates();
});
await poller.stop();
await database.close();
