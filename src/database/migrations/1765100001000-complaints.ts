import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasColumn, repeatable } from './repeatable.js';

/** What a diner says is wrong, what people made of it, and how much of an order's price was granted back. */
export class Complaints1765100001000 implements MigrationInterface {
  readonly name = 'Complaints1765100001000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, ref, instant, text, flag } = columnTypes(runner);
    const { table, index } = repeatable(runner);
    const person = `VARCHAR(128)${await collationOfPeople(runner)} NOT NULL`;
    if (!(await hasColumn(runner, 'box_order', 'granted_in_cent')))
      await runner.query(`ALTER TABLE box_order ADD COLUMN granted_in_cent ${flag}`);
    await table(
      'complaint',
      id,
      `order_id ${ref} NOT NULL`,
      `open_order_id ${ref} NULL`,
      'order_no VARCHAR(32) NOT NULL',
      `user_id ${person}`,
      'kind VARCHAR(16) NOT NULL',
      `content ${text} NOT NULL`,
      'wanted_in_cent INT NOT NULL',
      'granted_in_cent INT NULL',
      'state VARCHAR(12) NOT NULL',
      `state_at ${instant} NOT NULL`,
      `created_at ${instant} NOT NULL`,
    );
    await index('complaint_open', 'complaint', 'open_order_id', true);
    await index('complaint_of_order', 'complaint', 'order_id');
    await index('complaint_of_user', 'complaint', 'user_id');
    await index('complaint_of_state', 'complaint', 'state, state_at');
    await table(
      'complaint_review',
      id,
      `complaint_id ${ref} NOT NULL`,
      `reviewer ${person}`,
      `at ${instant} NOT NULL`,
      'verdict VARCHAR(16) NOT NULL',
      'note VARCHAR(500) NULL',
    );
    await index('complaint_review_of', 'complaint_review', 'complaint_id');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS complaint_review');
    await runner.query('DROP TABLE IF EXISTS complaint');
    if (await hasColumn(runner, 'box_order', 'granted_in_cent'))
      await runner.query('ALTER TABLE box_order DROP COLUMN granted_in_cent');
  }
}

/** MariaDB's or MySQL's name of it, as an earlier migration has found it. SQLite compares exactly by itself. */
async function collationOfPeople(runner: QueryRunner): Promise<string> {
  if (runner.connection.options.type !== 'mysql') return '';
  const [found] = (await runner.query(
    "SELECT COLLATION_NAME AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'box_order' AND column_name = 'user_id'",
  )) as { name: string }[];
  return ` CHARACTER SET utf8mb4 COLLATE ${found?.name}`;
}
