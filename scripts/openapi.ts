// Writes docs/openapi.json from the route schemas.
import { writeFileSync } from 'node:fs';
import { createApp } from '../src/api-part.js';
import { createLogger } from '../src/logging.js';
import { createRuntime } from '../src/runtime.js';
import { sandboxSettings } from '../src/sandbox/defaults.js';
import { loadSettings } from '../src/settings.js';

const logger = createLogger('silent', 'openapi');
const vendors = Object.fromEntries(Object.entries(sandboxSettings('http://127.0.0.1:1')).map(([key, value]) => [key, String(value)]));
const runtime = await createRuntime(loadSettings({ env: { DATABASE_URL: 'sqlite::memory:', AUTH_JWT_SECRET: 'only-to-write-a-file', ...vendors } }), logger);
const app = await createApp(runtime, logger);
await app.ready();
writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
await runtime.close();
