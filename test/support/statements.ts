import type { Database } from '../../src/database/database.js';

/** Hears of every statement that this database is sent. */
export function noteStatements(
  database: Database,
  note: (text: string, params: readonly unknown[]) => void,
): void {
  Object.assign(database.source, {
    logger: {
      logQuery: (text: string, params: unknown[] | undefined) => note(text, params ?? []),
      logQueryError() {},
      logQuerySlow() {},
      logSchemaBuild() {},
      logMigration() {},
      log() {},
    },
  });
}
