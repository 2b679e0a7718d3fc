import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasColumn } from './repeatable.js';

/** A question that gets no usable answer is counted apart from failures; a process that stops leaves word that it ended. */
export class VainQuestions1764002000000 implements MigrationInterface {
  readonly name = 'VainQuestions1764002000000';

  async up(runner: QueryRunner): Promise<void> {
    const { instant, flag } = columnTypes(runner);
    await add(runner, 'outbox_event', 'vain_questions', flag);
    await add(runner, 'outbox_event', 'vain_since', `${instant} NULL`);
    await add(runner, 'process_heartbeat', 'ended_at', `${instant} NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of columns)
      if (await hasColumn(runner, table, column))
        await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
}

const columns = [
  ['process_heartbeat', 'ended_at'],
  ['outbox_event', 'vain_since'],
  ['outbox_event', 'vain_questions'],
] as const;

async function add(runner: QueryRunner, table: string, column: string, type: string): Promise<void> {
  if (!(await hasColumn(runner, table, column)))
    await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
