import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
// @ts-expect-error plain JavaScript
import { ensureBuilt } from '../../scripts/ensure-built.mjs';
// @ts-expect-error plain JavaScript, shared with the benchmarks
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';
// @ts-expect-error plain JavaScript
import { ensurePacked } from './pack.mjs';
import { type MariadbTemplate, mariadbTemplate, sqliteTemplate } from './templates.js';
import { workFolder } from './work-folder.js';

declare module 'vitest' {
  interface ProvidedContext {
    mariadbUrl: string;
    /** A server whose own time zone is +08:00. */
    mariadbPlus8Url: string;
    redisUrl: string;
    directory: string;
    /** A SQLite file, and a database on each MariaDB, that all migrations have run on: the tests copy them. */
    sqliteTemplate: string;
    mariadbTemplate: MariadbTemplate;
    mariadbPlus8Template: MariadbTemplate;
  }
}

/** Real servers for everything: given ones, or private ones that end with the run. Never a silent skip. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  ensureBuilt();
  const directory = mkdtempSync(path.join(workFolder(), 'lunchbox-test-'));
  const { TEST_DATABASE_URL, TEST_DATABASE_PLUS8_URL, TEST_REDIS_URL } = process.env;
  const started: { stop(signal?: string): Promise<void> }[] = [];
  const keep = <S extends { url: string; stop(): Promise<void> }>(server: S): string => {
    started.push(server);
    return server.url;
  };
  const programs = TEST_DATABASE_URL && TEST_DATABASE_PLUS8_URL && TEST_REDIS_URL ? null : findPrograms();
  const mariadb = async (name: string, timeZone: string): Promise<string> =>
    keep(
      await startMariadb(
        { directory: path.join(directory, name), port: await freePort(), timeZone },
        programs,
      ),
    );
  const mariadbUrl = TEST_DATABASE_URL ?? (await mariadb('mariadb', '+00:00')); // the first one makes what the second one copies
  const [plus8Url, redisUrl] = await Promise.all([
    TEST_DATABASE_PLUS8_URL ?? mariadb('mariadb-plus8', '+08:00'),
    TEST_REDIS_URL ??
      startRedis({ directory: path.join(directory, 'redis'), port: await freePort() }, programs).then(keep),
    ensurePacked(),
  ]);
  project.provide('mariadbUrl', mariadbUrl);
  project.provide('mariadbPlus8Url', plus8Url);
  project.provide('redisUrl', redisUrl);
  project.provide('directory', directory);
  project.provide('sqliteTemplate', await sqliteTemplate(directory));
  project.provide('mariadbTemplate', await mariadbTemplate(mariadbUrl));
  project.provide('mariadbPlus8Template', await mariadbTemplate(plus8Url));
  return async () => {
    await Promise.all(started.map((server) => server.stop('SIGKILL')));
    rmSync(directory, { recursive: true, force: true });
  };
}
