import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Ids of people: [table, column, type]. */
const columns = [
  ['box_order', 'user_id', 'VARCHAR(128)', 'NOT NULL'],
  ['box_order', 'operator', 'VARCHAR(128)', 'NULL'],
  ['canteen_consumption', 'user_id', 'VARCHAR(128)', 'NOT NULL'],
  ['coffee_trade', 'user_id', 'VARCHAR(128)', 'NOT NULL'],
  ['idempotency_record', 'caller', 'VARCHAR(160)', 'NOT NULL'],
  ['operator_action', 'actor', 'VARCHAR(128)', 'NOT NULL'],
  ['alert', 'known_by', 'VARCHAR(128)', 'NULL'],
  ['console_view', 'actor', 'VARCHAR(128)', 'NOT NULL'],
  ['event_pause', 'actor', 'VARCHAR(128)', 'NOT NULL'],
  ['event_batch', 'actor', 'VARCHAR(128)', 'NOT NULL'],
] as const;
const PADDED = 'utf8mb4_bin';
/** MariaDB's name, MySQL's name. */
const EXACT = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

/**
 * Ids of people are compared byte by byte. `utf8mb4_bin` tells "alice" from "ALICE" and "ä" from "a", but takes "alice " for "alice": it pads with
 * spaces. SQLite compares exactly by itself.
 */
export class ExactPeople1764004100000 implements MigrationInterface {
  readonly name = 'ExactPeople1764004100000';

  async up(runner: QueryRunner): Promise<void> {
    if (runner.connection.options.type !== 'mysql') return;
    const known = (await runner.query(
      'SELECT COLLATION_NAME AS name FROM information_schema.collations WHERE COLLATION_NAME IN (?)',
      [EXACT],
    )) as {
      name: string;
    }[];
    const exact = EXACT.find((name) => known.some((one) => one.name === name));
    if (!exact)
      throw new Error(
        `the database has none of the collations ${EXACT.join(', ')}: MariaDB 10.6 or MySQL 8 is needed`,
      );
    await collate(runner, exact);
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.connection.options.type === 'mysql') await collate(runner, PADDED);
  }
}

/** Only what is not so yet: one that was killed half-way goes on where it stopped. */
async function collate(runner: QueryRunner, collation: string): Promise<void> {
  for (const [table, column, type, nullable] of columns) {
    const [found] = (await runner.query(
      'SELECT COLLATION_NAME AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?',
      [table, column],
    )) as { name: string }[];
    if (found && found.name !== collation)
      await runner.query(
        `ALTER TABLE ${table} MODIFY COLUMN ${column} ${type} CHARACTER SET utf8mb4 COLLATE ${collation} ${nullable}`,
      );
  }
}
