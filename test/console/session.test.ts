import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app/api-part.js';
import { createLogger } from '../../src/app/logging.js';
import { createRuntime } from '../../src/app/runtime.js';
import { loadSettings } from '../../src/app/settings.js';
import { sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

const origin = { host: 'lunchbox.test', origin: 'http://lunchbox.test' };
const form = 'application/x-www-form-urlencoded';

describe.each(databaseKinds)('a session of the console on %s', (kind) => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create(kind, { PUBLIC_URL: 'https://canteen.example' });
  });
  afterAll(() => kit.close());

  const signIn = async (token: string, to = '/console/') =>
    kit.app.inject({
      method: 'POST',
      url: '/console/sign-in',
      headers: { ...origin, 'content-type': form },
      payload: new URLSearchParams({ token, to }).toString(),
    });
  const look = (cookie: string, app = kit.app) =>
    app.inject({ method: 'GET', url: '/console/controls', headers: { ...origin, cookie } });

  it('travels over TLS only, where the console is served so; no script reads it', async () => {
    const answer = await signIn(await kit.token('zhang', 'operator'));
    const [session, ...attributes] = String(answer.headers['set-cookie']).split('; ');
    expect(session).toMatch(/^lunchbox_session=[^;]+$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Lax', 'Secure']);
    const plain = await Kit.create('sqlite');
    const over = await plain.app.inject({
      method: 'POST',
      url: '/console/sign-in',
      headers: { ...origin, 'content-type': form },
      payload: new URLSearchParams({ token: await plain.token('zhang', 'operator') }).toString(),
    });
    await plain.close();
    expect(over.headers['set-cookie']).not.toContain('Secure');
  });

  it('ends at every process when it is signed out, and its token opens no other; others go on', async () => {
    const other = await createRuntime(
      {
        ...loadSettings({
          env: { ...kit.env, ...(kind === 'sqlite' ? {} : { REDIS_URLS: 'redis://127.0.0.1:1' }) },
        }),
        REDIS_URLS: [],
      },
      createLogger('silent', 'test'),
    );
    const second = await createApp(other, createLogger('silent', 'test'));
    try {
      const token = await kit.token('li', 'operator');
      const cookie = `lunchbox_session=${token}`;
      const colleague = `lunchbox_session=${await kit.token('wang', 'operator')}`;
      const page = await look(cookie);
      expect([page.statusCode, (await look(cookie, second)).statusCode]).toEqual([200, 200]);
      const formToken = /name="form" value="([0-9a-f]+)"/.exec(page.body)?.[1] ?? '';
      const out = (given: string) =>
        kit.app.inject({
          method: 'POST',
          url: '/console/sign-out',
          headers: { ...origin, cookie, 'content-type': form },
          payload: `form=${given}`,
        });
      expect((await out('0'.repeat(32))).statusCode).toBe(403);
      expect((await look(cookie)).statusCode).toBe(200);
      expect((await out(formToken)).headers['set-cookie']).toContain('Max-Age=0');
      expect([(await look(cookie)).statusCode, (await look(cookie, second)).statusCode]).toEqual([303, 303]);
      expect((await signIn(token)).statusCode).toBe(401);
      expect([(await look(colleague)).statusCode, (await look(colleague, second)).statusCode]).toEqual([
        200, 200,
      ]);
    } finally {
      await second.close();
      await other.close();
    }
  });

  it('that was signed out is forgotten when its token has surely run out', async () => {
    await kit.database.execute(sql`UPDATE console_sign_out SET expires_at = ${new Date(Date.now() - 1_000)}`);
    const cookie = `lunchbox_session=${await kit.token('zhao', 'viewer')}`;
    const formToken = /name="form" value="([0-9a-f]+)"/.exec((await look(cookie)).body)?.[1] ?? '';
    await kit.app.inject({
      method: 'POST',
      url: '/console/sign-out',
      headers: { ...origin, cookie, 'content-type': form },
      payload: `form=${formToken}`,
    });
    expect(await kit.database.query(sql`SELECT token_hash FROM console_sign_out`)).toHaveLength(1);
  });

  it('leads after the sign-in to a page of ours only', async () => {
    const token = await kit.token('zhang', 'operator');
    for (const to of [
      '//evil.example',
      '\\\\evil.example',
      '/console/\r\nSet-Cookie: a=b',
      '/console/中文',
      '/console/\\evil',
      'https://evil.example',
      '/console/../x',
      'javascript:x',
    ])
      expect([to, (await signIn(token, to)).headers.location]).toEqual([to, '/console/']);
    expect((await signIn(token, '/console/events?state=errored&type=A')).headers.location).toBe(
      '/console/events?state=errored&type=A',
    );
  });
});
