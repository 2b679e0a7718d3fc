import { startMetrics } from './app/metrics-port.js';
import { runProcess } from './app/process.js';
import { createRuntime } from './app/runtime.js';
import { startScheduler } from './app/scheduler-part.js';

/** The background process. Any number may run. */
await runProcess('scheduler', {}, async (settings, logger) => {
  const runtime = await createRuntime(settings, logger);
  const metrics =
    settings.METRICS_PORT === undefined ? undefined : await startMetrics(runtime, settings.METRICS_PORT);
  const scheduler = await startScheduler(runtime, logger);
  logger.info({ cron: settings.SCHEDULER_CRON, worker: runtime.outbox.worker }, 'scheduler runs');
  return {
    async stop() {
      await scheduler.stop();
      await metrics?.close();
      await runtime.close();
    },
  };
});
