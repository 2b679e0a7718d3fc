// Writes docs/openapi.json from the route schemas, and from it the types of the client.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { createApp } from '../src/app/api-part.js';
import { createLogger } from '../src/app/logging.js';
import { createRuntime } from '../src/app/runtime.js';
import { loadSettings } from '../src/app/settings.js';
import { sandboxSettings } from '../src/dev/sandbox/defaults.js';

const logger = createLogger('silent', 'openapi');
const vendors = Object.fromEntries(
  Object.entries(sandboxSettings('http://127.0.0.1:1')).map(([key, value]) => [key, String(value)]),
);
const runtime = await createRuntime(
  loadSettings({
    env: {
      DATABASE_URL: 'sqlite::memory:',
      AUTH_JWT_SECRET: 'only-to-write-a-file-with-no-one-served',
      ...vendors,
    },
  }),
  logger,
);
const app = await createApp(runtime, logger);
await app.ready();
const description = `${JSON.stringify(app.swagger(), null, 2)}\n`;
writeFileSync(new URL('../docs/openapi.json', import.meta.url), description);
writeFileSync(new URL('../src/dev/client/schema.ts', import.meta.url), await clientTypes(description));
await app.close();
await runtime.close();

/** The first line says of which description: a test compares it. */
async function clientTypes(of: string): Promise<string> {
  const nodes = await openapiTS(of);
  return `// Made by \`npm run openapi\` of a description with SHA-256 ${createHash('sha256').update(of).digest('hex')}. Not to be edited.\n${astToString(nodes)}`;
}
