// Record in one process, handle in another; between them the wake-up as in production: a hint over Redis after the commit.
import IORedis from 'ioredis';
import { z } from 'zod';
import { WakeUps } from '../../dist/app/wake-ups.js';
import { Database } from '../../dist/database/database.js';
import { migrate } from '../../dist/database/migrate.js';
import { sql } from '../../dist/database/sql.js';
import { Outbox } from '../../dist/outbox/outbox.js';
import { Poller } from '../../dist/outbox/poll.js';
import { record } from '../../dist/outbox/record.js';
import { measureLatency } from '../lib/latency.mjs';

const { DATABASE_URL, LOCKS_URL } = process.env;
const definition = {
  type: 'LATENCY',
  target: 'latency',
  version: 1,
  schema: z.object({ seq: z.number() }),
  example: { seq: 1 },
  dedupeKey: ({ seq }) => String(seq),
  orderingKey: () => null,
};
const database = await Database.open({ url: DATABASE_URL });
await migrate(database);

await measureLatency({
  async produce() {
    await database.execute(sql`DELETE FROM event_attempt`);
    await database.execute(sql`DELETE FROM outbox_event`);
    const wakeUps = new WakeUps([LOCKS_URL], database, new IORedis(LOCKS_URL));
    wakeUps.listen(() => {});
    return (seq) => database.transaction((tx) => record(tx, definition, { seq }));
  },
  async consume(handle) {
    const handler = {
      definition,
      limits: { deadlineMs: 30_000, maxSnoozeMs: 1_000 },
      async handle({ payload }) {
        handle(payload.seq);
        return { kind: 'done', outcome: 'applied', note: 'done' };
      },
    };
    const outbox = new Outbox(database, [handler], {
      leaseMs: 10_000,
      failuresMax: 3,
      retryDelayMs: 15_000,
      batchSize: 10,
      concurrencyPerTarget: 10,
    });
    const poller = new Poller(outbox, { cron: '*/15 * * * * *', lookAheadMs: 15_000 });
    const wakeUps = new WakeUps([LOCKS_URL], database, undefined);
    wakeUps.listen(() => poller.wake());
    poller.start();
  },
});
