import type { Clock } from '../base/clock.js';
import { type Dialect, sql, toSqlInstant } from './sql.js';

/** MySQL 8 and MariaDB 10.6+. UTC_TIMESTAMP does not depend on the session's or the server's time zone. */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  instant: (plusMs) =>
    plusMs === 0
      ? { text: 'UTC_TIMESTAMP(3)', params: [] }
      : { text: '(UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND)', params: [plusMs * 1000] },
  moment: (plusMs) => () =>
    plusMs === 0
      ? 'UTC_TIMESTAMP(3)'
      : `(UTC_TIMESTAMP(3) + INTERVAL ${Math.round(plusMs) * 1000} MICROSECOND)`,
  useIndex: (name) => `FORCE INDEX (${name})`,
  byPrimaryKey: 'FORCE INDEX (PRIMARY)',
  remembered: (expression) => sql`LAST_INSERT_ID(${expression})`,
  skipLocked: 'FOR UPDATE SKIP LOCKED',
  forUpdate: 'FOR UPDATE',
};

/**
 * SQLite lives in this process, so its clock is the process's clock. Its transactions begin IMMEDIATE: one
 * writer at a time.
 */
export function sqliteDialect(clock: Clock): Dialect {
  return {
    name: 'sqlite',
    instant: (plusMs) => ({ text: '?', params: [toSqlInstant(new Date(clock.now() + plusMs))] }),
    moment: (plusMs) => new Date(clock.now() + plusMs),
    useIndex: (name) => `INDEXED BY ${name}`,
    byPrimaryKey: 'NOT INDEXED',
    remembered: (expression) => expression,
    skipLocked: '',
    forUpdate: '',
  };
}
