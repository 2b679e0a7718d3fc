import type { QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';

/** How a migration makes a table and an index, so that it can be run again after a kill half-way. */
export function repeatable(runner: QueryRunner) {
  const { engine } = columnTypes(runner);
  return {
    table: (name: string, ...lines: string[]): Promise<unknown> =>
      runner.query(`CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n)${engine}`),
    async index(name: string, on: string, columns: string, unique = false): Promise<void> {
      if (!(await hasIndex(runner, on, name)))
        await runner.query(`CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${on} (${columns})`);
    },
    async dropIndex(name: string, on: string): Promise<void> {
      if (await hasIndex(runner, on, name))
        await runner.query(`DROP INDEX ${name}${isMysql(runner) ? ` ON ${on}` : ''}`);
    },
  };
}

/** MySQL commits each statement of a migration by itself: one that was killed half-way must be able to run again. */
async function hasIndex(runner: QueryRunner, table: string, name: string): Promise<boolean> {
  const rows = isMysql(runner)
    ? await runner.query(
        'SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?',
        [table, name],
      )
    : await runner.query("SELECT 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name = ?", [
        table,
        name,
      ]);
  return (rows as unknown[]).length > 0;
}

export async function hasColumn(runner: QueryRunner, table: string, name: string): Promise<boolean> {
  const rows = isMysql(runner)
    ? await runner.query(
        'SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?',
        [table, name],
      )
    : await runner.query('SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ?', [table, name]); // xinfo: generated columns, too
  return (rows as unknown[]).length > 0;
}

function isMysql(runner: QueryRunner): boolean {
  return runner.connection.options.type === 'mysql';
}
