import type { QueryRunner } from 'typeorm';
import { destroyConnection } from './internals.js';

/**
 * Gives `work` on this runner so many milliseconds. mysql2 has a timeout neither for its pool's queue nor for
 * a server that is silent, so a connection that has not answered by then is destroyed.
 */
export async function limited<T>(runner: QueryRunner, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const running = work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      destroyConnection(runner);
      // The work may have been waiting for a connection: nobody would give back the connection that it gets
      // later.
      running.catch(() => {}).finally(() => destroyConnection(runner));
      reject(Object.assign(new Error('the database did not answer in time'), { code: 'DATABASE_TIMEOUT' }));
    }, timeoutMs);
  });
  running.catch(() => {}); // after a timeout nobody else listens
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Work that may take as long as it takes, such as a migration of a big table. */
export function unlimited(runner: QueryRunner): QueryRunner {
  runner.data = { ...runner.data, isUnlimited: true };
  return runner;
}

export function isUnlimited(runner: QueryRunner): boolean {
  return (runner.data as { isUnlimited?: boolean } | undefined)?.isUnlimited === true;
}
