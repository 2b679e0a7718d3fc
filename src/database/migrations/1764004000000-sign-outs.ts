import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { repeatable } from './repeatable.js';

/** Tokens that were signed out of the console, until they have run out: all processes know. */
export class SignOuts1764004000000 implements MigrationInterface {
  readonly name = 'SignOuts1764004000000';

  async up(runner: QueryRunner): Promise<void> {
    const { instant } = columnTypes(runner);
    const { table, index } = repeatable(runner);
    await table(
      'console_sign_out',
      'token_hash CHAR(64) NOT NULL PRIMARY KEY',
      `expires_at ${instant} NOT NULL`,
    );
    await index('console_sign_out_expires', 'console_sign_out', 'expires_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS console_sign_out');
  }
}
