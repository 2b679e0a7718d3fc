import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { repeatable } from './repeatable.js';

/** One row that tells this database from every other: whatever is kept beside it can say to which one it belongs. */
export class Installation1764005000000 implements MigrationInterface {
  readonly name = 'Installation1764005000000';

  async up(runner: QueryRunner): Promise<void> {
    const { instant } = columnTypes(runner);
    await repeatable(runner).table(
      'installation',
      'one INTEGER NOT NULL PRIMARY KEY',
      'identity VARCHAR(36) NOT NULL',
      `named_at ${instant} NOT NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS installation');
  }
}
