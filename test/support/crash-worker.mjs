// Carries out whatever is due, once, in a process of its own, with the built program; CRASH_AT kills it on the way.
import { createLogger } from '../../dist/app/logging.js';
import { createRuntime } from '../../dist/app/runtime.js';
import { loadSettings } from '../../dist/app/settings.js';

const runtime = await createRuntime(
  loadSettings({ env: process.env }),
  createLogger('silent', 'crash-worker'),
);
for (;;) {
  const claimed = await runtime.outbox.claimAndStart();
  if (claimed !== 'no-slot' && claimed.rows.length === 0 && runtime.outbox.runningCount === 0) break;
  await runtime.outbox.oneEnded();
}
await runtime.close();
