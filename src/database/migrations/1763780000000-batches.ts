import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { repeatable } from './repeatable.js';

/** Bulk acts: a frozen set of events, and what became of each. */
export class Batches1763780000000 implements MigrationInterface {
  readonly name = 'Batches1763780000000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, ref, instant, text } = columnTypes(runner);
    const { table } = repeatable(runner);
    await table(
      'event_batch',
      id,
      'token CHAR(32) NOT NULL',
      'verb VARCHAR(16) NOT NULL',
      `filter ${text} NOT NULL`,
      'status VARCHAR(10) NOT NULL',
      'total INT NOT NULL',
      'per_second INT NOT NULL',
      'reason VARCHAR(500) NOT NULL',
      'actor VARCHAR(128) NOT NULL',
      'role VARCHAR(16) NOT NULL',
      'request_id VARCHAR(64) NULL',
      'why VARCHAR(200) NULL',
      `created_at ${instant} NOT NULL`,
      `started_at ${instant} NULL`,
      `ended_at ${instant} NULL`,
    );
    await table(
      'event_batch_item',
      `batch_id ${ref} NOT NULL`,
      'position INT NOT NULL',
      `event_id ${ref} NOT NULL`,
      'attempt INT NOT NULL',
      'result VARCHAR(8) NULL',
      'why VARCHAR(100) NULL',
      `at ${instant} NULL`,
      'PRIMARY KEY (batch_id, position)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS event_batch_item');
    await runner.query('DROP TABLE IF EXISTS event_batch');
  }
}
