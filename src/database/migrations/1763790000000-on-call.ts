import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasColumn, repeatable } from './repeatable.js';

const columns: [table: string, name: string, definition: (instant: string) => string][] = [
  ['alert', 'known_at', (instant) => `${instant} NULL`],
  ['alert', 'known_by', () => 'VARCHAR(128) NULL'],
  ['alert', 'known_reason', () => 'VARCHAR(500) NULL'],
  ['alert', 'came_back', () => 'INT NOT NULL DEFAULT 0'],
  ['alert', 'build', () => 'VARCHAR(32) NULL'],
  ['operator_action', 'ip', () => 'VARCHAR(45) NULL'],
];

/** Causes that somebody knows, and that come back; from where somebody acted; each list of events by an index; events by their trace. */
export class OnCall1763790000000 implements MigrationInterface {
  readonly name = 'OnCall1763790000000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, instant, text } = columnTypes(runner);
    for (const [of, name, definition] of columns)
      if (!(await hasColumn(runner, of, name)))
        await runner.query(`ALTER TABLE ${of} ADD COLUMN ${name} ${definition(instant)}`);
    const { table, index } = repeatable(runner);
    await table(
      'console_view',
      id,
      'name VARCHAR(64) NOT NULL',
      `query ${text} NOT NULL`,
      'actor VARCHAR(128) NOT NULL',
      `created_at ${instant} NOT NULL`,
    );
    await index('console_view_name', 'console_view', 'name', true);
    await index('outbox_event_type', 'outbox_event', 'type');
    await index('outbox_event_trace', 'outbox_event', 'traceparent');
  }

  async down(runner: QueryRunner): Promise<void> {
    const { dropIndex } = repeatable(runner);
    await dropIndex('outbox_event_trace', 'outbox_event');
    await dropIndex('outbox_event_type', 'outbox_event');
    await runner.query('DROP TABLE IF EXISTS console_view');
    for (const [table, name] of columns)
      if (await hasColumn(runner, table, name))
        await runner.query(`ALTER TABLE ${table} DROP COLUMN ${name}`);
  }
}
