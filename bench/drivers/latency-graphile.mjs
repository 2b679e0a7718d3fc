// graphile-worker: add_job in one process, LISTEN/NOTIFY, handled in another.
import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { measureLatency } from '../lib/latency.mjs';

const { PG_URL } = process.env;
const logger = new Logger(() => () => {});
const preset = { worker: { connectionString: PG_URL, concurrentJobs: 10, pollInterval: 2000, logger } };

await measureLatency({
  async produce() {
    await runMigrations({ connectionString: PG_URL, logger, preset });
    const client = new pg.Client(PG_URL);
    await client.connect();
    return (seq) =>
      client.query('SELECT graphile_worker.add_job($1, $2::json)', ['latency', JSON.stringify({ seq })]);
  },
  async consume(handle) {
    await runMigrations({ connectionString: PG_URL, logger, preset });
    await run({
      preset,
      logger,
      noHandleSignals: true,
      taskList: { latency: async ({ seq }) => handle(seq) },
    });
  },
});
