import { startApi } from './app/api-part.js';
import { runProcess } from './app/process.js';
import { createRuntime } from './app/runtime.js';
import { WaitingRoom } from './app/waiting-room.js';

/** The HTTP process. Any number may run. */
await runProcess('api', {}, async (settings, logger) => {
  const room = new WaitingRoom({ host: settings.HOST, port: settings.PORT });
  const runtime = await createRuntime(settings, logger, { onAway: () => room.open() }).finally(() =>
    room.close(),
  );
  const api = await startApi(runtime, logger).catch(async (error: unknown) => {
    await runtime.close();
    throw error;
  });
  logger.info({ url: api.url }, 'api listens');
  return {
    async stop() {
      await api.stop();
      await runtime.close();
    },
  };
});
