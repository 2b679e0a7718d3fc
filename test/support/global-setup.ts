import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
// @ts-expect-error plain JavaScript
import { ensureBuilt } from '../../scripts/ensure-built.mjs';
// @ts-expect-error plain JavaScript, shared with the benchmarks
import { findPrograms, freePort, startMariadb, startRedis } from '../../scripts/servers.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    mariadbUrl: string;
    /** A server whose own time zone is +08:00. */
    mariadbPlus8Url: string;
    redisUrl: string;
    directory: string;
  }
}

/** Real servers for everything: given ones, or private ones that end with the run. Never a silent skip. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  ensureBuilt();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-test-'));
  const { TEST_DATABASE_URL, TEST_DATABASE_PLUS8_URL, TEST_REDIS_URL } = process.env;
  const started: { stop(signal?: string): Promise<void> }[] = [];
  const keep = <S extends { url: string; stop(): Promise<void> }>(server: S): string => {
    started.push(server);
    return server.url;
  };
  const programs = TEST_DATABASE_URL && TEST_DATABASE_PLUS8_URL && TEST_REDIS_URL ? null : findPrograms();
  const mariadb = async (name: string, timeZone: string): Promise<string> =>
    keep(await startMariadb({ directory: path.join(directory, name), port: await freePort(), timeZone }, programs));
  project.provide('mariadbUrl', TEST_DATABASE_URL ?? (await mariadb('mariadb', '+00:00')));
  project.provide('mariadbPlus8Url', TEST_DATABASE_PLUS8_URL ?? (await mariadb('mariadb-plus8', '+08:00')));
  project.provide('redisUrl', TEST_REDIS_URL ?? keep(await startRedis({ directory: path.join(directory, 'redis'), port: await freePort() }, programs)));
  project.provide('directory', directory);
  return async () => {
    await Promise.all(started.map((server) => server.stop('SIGKILL')));
    rmSync(directory, { recursive: true, force: true });
  };
}
