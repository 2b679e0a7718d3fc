import { startApi } from '../../src/app/api-part.js';
import { createLogger, type Logger } from '../../src/app/logging.js';
import { createRuntime, type Runtime } from '../../src/app/runtime.js';
import { startScheduler } from '../../src/app/scheduler-part.js';
import { loadSettings } from '../../src/app/settings.js';

export interface Part {
  stop(): Promise<void>;
}

/** The parts of an API process in this process: what outlives a child that is killed needs no process of its own. */
export function apiHere(env: Record<string, string>): Promise<Part & { url: string }> {
  return here({ ...env, PORT: '0' }, startApi);
}

/** The same of a scheduler process. */
export function schedulerHere(env: Record<string, string>): Promise<Part> {
  return here(env, startScheduler);
}

async function here<P extends Part>(
  env: Record<string, string>,
  start: (runtime: Runtime, logger: Logger) => Promise<P>,
): Promise<P> {
  const logger = createLogger('silent', 'here');
  const runtime = await createRuntime(loadSettings({ env }), logger);
  const part = await start(runtime, logger);
  return {
    ...part,
    async stop() {
      await part.stop();
      await runtime.close();
    },
  };
}
