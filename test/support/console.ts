import type { FastifyInstance } from 'fastify';
import { createApp } from '../../src/app/api-part.js';
import { createLogger } from '../../src/app/logging.js';
import { createRuntime } from '../../src/app/runtime.js';
import { loadSettings } from '../../src/app/settings.js';
import { Database } from '../../src/database/database.js';
import { sandboxSettings } from '../../src/dev/sandbox/defaults.js';
import { signToken } from '../../src/http/auth.js';
import { noteStatements } from './statements.js';

const secret = 'a-secret-of-the-tests-alone-32-bytes-and-more';

interface Statement {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** The API with its console in this process, on a database that is there, without vendors. What the console reads is noted, statement by statement. */
export async function openConsole(url: string) {
  const vendors = Object.fromEntries(
    Object.entries(sandboxSettings('http://127.0.0.1:1')).map(([key, value]) => [key, String(value)]),
  );
  const settings = loadSettings({
    env: {
      ...vendors,
      NODE_ENV: 'test',
      AUTH_JWT_SECRET: secret,
      LOG_LEVEL: 'silent',
      DATABASE_URL: url,
      REDIS_URLS: 'redis://127.0.0.1:1',
    },
  });
  const logger = createLogger('silent', 'test');
  const runtime = await createRuntime({ ...settings, REDIS_URLS: [] }, logger);
  const reading = await Database.open({ url, poolSize: 2, statementTimeoutMs: 4_000, serverLimitMs: 2_000 });
  const statements: Statement[] = [];
  noteStatements(reading, (text, params) => statements.push({ text, params }));
  const app: FastifyInstance = await createApp(runtime, logger, reading);
  const cookies = new Map<string, string>();
  for (const role of ['operator', 'viewer'] as const) {
    const token = await signToken(secret, { sub: `c-${role}`, role, ttlS: 3_600 });
    cookies.set(role, `lunchbox_session=${token}`);
  }
  return {
    app,
    runtime,
    reading,
    statements,
    get: (page: string, role: 'operator' | 'viewer' = 'operator') =>
      app.inject({
        method: 'GET',
        url: page,
        headers: { host: 'lunchbox.test', cookie: cookies.get(role) ?? '' },
      }),
    async close() {
      await app.close();
      await runtime.close();
      await reading.close();
    },
  };
}
