import type { QueryRunner } from 'typeorm';

/** The few column types that the two databases spell differently, for hand-written migrations. */
export function columnTypes(runner: QueryRunner) {
  const mysql = runner.connection.options.type === 'mysql';
  return {
    id: mysql
      ? 'id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY'
      : 'id INTEGER PRIMARY KEY AUTOINCREMENT',
    ref: mysql ? 'BIGINT UNSIGNED' : 'INTEGER',
    /** UTC, milliseconds. */
    instant: mysql ? 'DATETIME(3)' : 'TEXT',
    text: 'TEXT',
    longText: mysql ? 'MEDIUMTEXT' : 'TEXT',
    flag: 'INT NOT NULL DEFAULT 0',
    engine: mysql ? ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin' : '',
  } as const;
}
