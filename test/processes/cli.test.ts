import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { raiseVendorDown } from '../../src/alerts/raise.js';
import { Database } from '../../src/database/database.js';
import { migrate, pendingMigrations } from '../../src/database/migrate.js';
import { migrations } from '../../src/database/migrations/index.js';
import { now, sql } from '../../src/database/sql.js';
import { sandboxSecrets } from '../../src/dev/sandbox/defaults.js';
import { Sandbox } from '../../src/dev/sandbox/server.js';
import { housekeeping } from '../../src/handlers/housekeeping.js';
import { record } from '../../src/outbox/record.js';
import { CliHost, type Said } from '../support/cli-host.js';
import { databaseKinds, emptyDatabase } from '../support/databases.js';
import { note } from '../support/engine.js';
import { freePort } from '../support/free-port.js';
import { environment, launch, packed } from '../support/processes.js';

// A process for what is about processes, and one that all other commands share.
describe.each(databaseKinds)('the command line on %s', { timeout: 300_000 }, (kind) => {
  let sandbox: Sandbox;
  let url: string;
  let env: Record<string, string>;
  let host: CliHost;

  beforeAll(async () => {
    host = await CliHost.start();
    sandbox = await Sandbox.start({ host: '127.0.0.1', port: 0, legacyMode: false, secrets: sandboxSecrets });
    url = await emptyDatabase(kind);
    env = environment(sandbox.url, url, kind === 'sqlite' ? '' : inject('redisUrl'));
  });
  afterAll(() => {
    host.stop();
    return sandbox.close();
  });

  /** A process for this command alone. */
  const start = async (args: string[], more: Record<string, string> = {}): Promise<Said> => {
    const child = launch([packed('cli'), ...args], { ...env, ...more });
    return { code: await child.ended, output: child.output() };
  };
  const cli = (args: string[], more: Record<string, string> = {}): Promise<Said> =>
    host.run(args, { ...env, ...more });

  it('five processes migrating at once run each migration once; it can be undone and done again', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => start(['migrate'])));
    expect(results.map((result) => result.code)).toEqual([0, 0, 0, 0, 0]);
    expect(results.filter((result) => result.output.includes('ran Initial'))).toHaveLength(1);
    const pending = async (): Promise<string[]> => {
      const { output } = await cli(['migrate', '--dry-run']);
      return migrations.map(({ name }) => name).filter((name) => output.includes(name));
    };
    expect(await pending()).toEqual([]);
    for (let left = migrations.length; left > 0; left--) {
      expect((await cli(['migrate', '--revert'])).code).toBe(0);
      expect(await pending()).toEqual(migrations.slice(left - 1).map(({ name }) => name));
    }
    expect((await cli(['migrate'])).output).toContain('ran Initial');
    const database = await Database.open({ url });
    expect(await pendingMigrations(database)).toEqual([]);
    await database.close();
  });

  it('imports menus, and refuses a file that is not one', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-menu-'));
    const file = path.join(folder, 'menu.json');
    writeFileSync(
      file,
      JSON.stringify({
        garden: 'g',
        date: '2031-01-01',
        mealType: 'LUNCH',
        corp: 'c',
        cutoffAt: '2031-01-01T10:30:00+08:00',
        dishes: [{ meicanDishId: 1, name: 'one', priceInCent: 100, stock: 5 }],
        sideboards: [{ location: 'L', addressId: 'A', capacity: 5 }],
      }),
    );
    expect(await cli(['menu', 'import', file])).toMatchObject({
      code: 0,
      output: expect.stringContaining('1 dishes, 1 cabinets'),
    });
    writeFileSync(file, '{"garden":"g"}');
    expect(await cli(['menu', 'import', file])).toMatchObject({
      code: 2,
      output: expect.stringContaining('cutoffAt'),
    });
    expect((await cli(['menu', 'import', '/no/such/file'])).code).toBe(2);
  });

  it('signs tokens that the API accepts, and only with a secret', async () => {
    expect((await cli(['token', '--sub', 'alice', '--role', 'user'])).output.trim()).toMatch(
      /^[\w-]+\.[\w-]+\.[\w-]+$/,
    );
    expect((await cli(['token', '--sub', 'alice', '--role', 'king'])).code).toBe(2);
    expect((await cli(['token', '--sub', 'alice', '--role', 'user'], { AUTH_JWT_SECRET: '' })).code).toBe(2);
  });

  it('lists, shows, requeues and discards events, with exit codes that tell', async () => {
    const database = await Database.open({ url });
    const { id } = await database.transaction((tx) => record(tx, note, { n: 1 }));
    await database.execute(
      sql`UPDATE outbox_event SET status = 'errored', queue_at = NULL, settled_at = ${now}, last_error_code = 'E1' WHERE id = ${id}`,
    );
    expect((await cli(['events', 'list', '--status', 'errored'])).output).toContain(`${id}\terrored\tNOTE`);
    expect(JSON.parse((await cli(['events', 'show', id])).output)).toMatchObject({
      id,
      status: 'errored',
      lastError: { code: 'E1' },
      attempts: [],
    });
    expect((await cli(['events', 'requeue', id])).code).toBe(2); // a reason is needed
    expect((await cli(['events', 'requeue', id, '--reason', 'try', '--as', 'ann'])).code).toBe(0);
    expect((await cli(['events', 'requeue', id, '--reason', 'try'])).code).toBe(5);
    // What the end of a type means is known to whoever carries it out alone.
    expect(await cli(['events', 'discard', id, '--reason', 'enough'])).toMatchObject({
      code: 5,
      output: expect.stringContaining('does not know the type NOTE'),
    });
    const held = await database.transaction((tx) => record(tx, housekeeping, { slot: 'x' }));
    expect((await cli(['events', 'discard', held.id, '--reason', 'enough', '--as', 'ann'])).code).toBe(0);
    expect((await cli(['events', 'ask', id])).code).toBe(5); // nobody carries out this type
    expect((await cli(['events', 'settle', id, '--reason', 'x'])).code).toBe(2); // done, or not done?
    expect((await cli(['events', 'settle', held.id, '--done', '--reason', 'x'])).code).toBe(5);
    expect((await cli(['books', 'repair', '--day', 'tomorrow'])).code).toBe(2);
    expect((await cli(['books', 'repair', '--day', '2026-11-23', '--apply'])).code).toBe(2); // a reason is needed
    expect((await cli(['books', 'repair', '--day', '2026-11-23'])).output).toContain('nothing to mend');
    expect((await cli(['events', 'show', '999999'])).code).toBe(3);
    expect((await cli(['events', 'show', 'x'])).code).toBe(3);
    expect((await cli(['events', 'list', '--status', 'gone'])).code).toBe(2);
    expect(await database.query(sql`SELECT actor, verb FROM operator_action ORDER BY id`)).toMatchObject([
      { actor: 'ann', verb: 'requeue' },
      { actor: 'ann', verb: 'discard' },
    ]);
    await database.close();
  });

  it('takes ids by the rule of the API, prints nothing that acts, and ends quietly when nobody reads', async () => {
    const database = await Database.open({ url });
    await migrate(database);
    const { id } = await database.transaction((tx) => record(tx, housekeeping, { slot: 'ids' }));
    const none = [
      ['orders', 'reveal', '1abc'],
      ['events', 'requeue', `${id}x`, '--reason', 'x'],
      ['causes', 'know', '1x', '--reason', 'x'],
      ['events', 'list', '--order', '1x'],
    ];
    expect(await Promise.all(none.map(async (args) => [...args, (await cli(args)).code]))).toEqual(
      none.map((args) => [...args, 3]),
    );
    const forged = 'enough\n99\tmallory\u001b[2J\u202e';
    expect((await cli(['events', 'discard', id, '--reason', forged, '--as', 'ann'])).code).toBe(0);
    const audit = (await cli(['audit'])).output;
    expect(audit.split('\n')[0]).toMatch(/\tenough\\n99\\tmallory\\u001b\[2J\\u202e$/);
    // A reader that is gone before the first word.
    const line = `'${process.execPath}' '${packed('cli')}' audit | true; echo "exit \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', line], {
      env: { PATH: process.env.PATH, ...env },
    });
    expect([stdout, stderr]).toEqual(['exit 0\n', '']);
    await database.close();
  }, 120_000); // seven processes

  it('doctor: all well is 0; each thing that is not is named with what to do', async () => {
    const well = await start(['doctor']);
    expect([well.code, well.output]).toEqual([0, expect.not.stringContaining('FAIL')]);
    const database = await Database.open({ url });
    await database.transaction((tx) => raiseVendorDown(tx, 'meican', true));
    await database.close();
    const port = await freePort();
    const ill = await cli(['doctor', '--json'], {
      MEICAN_CORP_TOKEN: 'wrong-token',
      ENERGY_BASE_URL: `http://127.0.0.1:${port}`,
      WECOM_WEBHOOK_URL: '',
      ...(kind === 'mariadb' ? { REDIS_URLS: `redis://127.0.0.1:${port}` } : {}),
    });
    expect(ill.code).toBe(1);
    const checks = JSON.parse(ill.output.slice(0, ill.output.lastIndexOf(']') + 1)) as {
      name: string;
      ok: boolean;
      whatToDo?: string;
    }[];
    const failed = checks.filter((check) => !check.ok);
    expect(failed.map((check) => check.name)).toEqual([
      'breakers',
      ...(kind === 'mariadb' ? ['redis', 'lock'] : []),
      'meican',
      'energy center',
      'wecom',
    ]);
    expect(failed.every((check) => check.whatToDo)).toBe(true);
    expect(
      (
        await cli(['doctor'], {
          DATABASE_URL: `mysql://root@127.0.0.1:${port}/x`,
          REDIS_URLS: inject('redisUrl'),
        })
      ).output,
    ).toContain('FAIL  database');
    expect((await cli(['doctor'], { DATABASE_URL: '' })).output).toContain('FAIL  settings: DATABASE_URL');
  });

  it('tails attempts, tells stories, and leaves a restored database in doubt', async () => {
    expect((await start(['poll', '--once'])).code).toBe(0);
    const lines = (await cli(['tail', '--since', '60', '--for', '0', '--format', 'json'])).output
      .split('\n')
      .filter((line) => line.startsWith('{'));
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        eventId: expect.any(String),
        number: expect.any(Number),
        finishedAt: expect.any(String),
      });
    expect((await cli(['trigger', 'NOTHING'])).code).toBe(2);
    expect((await cli(['trigger', 'ZHIPAN_SYNC_ERROR', '--fault', 'rain'])).code).toBe(2);
    expect((await cli(['trigger', 'ZHIPAN_SYNC_ERROR', '--override', 'colour=red'])).code).toBe(2);
    expect(
      (
        await cli([
          'trigger',
          'ZHIPAN_SYNC_ERROR',
          '--token',
          'x',
          '--url',
          'http://127.0.0.1:1',
          '--sandbox',
          'http://127.0.0.1:1',
        ])
      ).code,
    ).toBe(1);
    expect((await cli(['causes', 'know', '999', '--reason', 'x'])).code).toBe(3);
    expect((await cli(['orders', 'reveal', '999'])).code).toBe(3);
    expect((await cli(['seed'])).code).toBe(5); // there are events already
    expect((await cli(['seed'], { NODE_ENV: 'production' })).code).toBe(2);
    expect((await cli(['after-restore', '--reason', 'a drill'])).output).toContain(
      'order numbers of today are skipped',
    );
    expect((await cli(['after-restore'])).code).toBe(2);
  });

  it('signs the token of a story for the issuer and the audience that the settings name', async () => {
    let authorization = '';
    const api = http.createServer((request, response) => {
      authorization = request.headers.authorization ?? '';
      response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{}');
    });
    const port = await freePort();
    await new Promise<void>((resolve) => api.listen(port, '127.0.0.1', resolve));
    const told = await cli(['trigger', 'ZHIPAN_SYNC_ERROR', '--url', `http://127.0.0.1:${port}`], {
      AUTH_ISSUER: 'https://id.example',
      AUTH_AUDIENCE: 'lunchbox',
    });
    api.close();
    expect(told.code).toBe(1);
    const claims = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ iss: 'https://id.example', aud: 'lunchbox', role: 'operator' });
  });

  it('help is 0, an unknown verb is 2', async () => {
    expect((await start(['--help'])).code).toBe(0);
    expect((await start(['dance'])).code).toBe(2);
  });
});
