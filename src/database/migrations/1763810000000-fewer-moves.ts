import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasColumn, repeatable } from './repeatable.js';

/**
 * An event that is handled without trouble moves fewer index entries: the index of the ordering keys holds those of pending events alone, the
 * index of the causes the statuses of events that have a cause alone. Each moved entry is a tenth of what the database does to drain an event.
 */
export class FewerMoves1763810000000 implements MigrationInterface {
  readonly name = 'FewerMoves1763810000000';

  async up(runner: QueryRunner): Promise<void> {
    await this.#generate(
      runner,
      'pending_key VARCHAR(128)',
      "CASE WHEN status = 'pending' THEN ordering_key ELSE NULL END",
    );
    await this.#generate(
      runner,
      'cause_status VARCHAR(10)',
      'CASE WHEN cause IS NULL THEN NULL ELSE status END',
    );
    const { index, dropIndex } = repeatable(runner);
    await index('outbox_event_pending_key', 'outbox_event', 'pending_key');
    await index('outbox_event_cause_status', 'outbox_event', 'cause, cause_status');
    await dropIndex('outbox_event_ordering_key', 'outbox_event');
    await dropIndex('outbox_event_cause', 'outbox_event');
  }

  async down(runner: QueryRunner): Promise<void> {
    const { index, dropIndex } = repeatable(runner);
    await index('outbox_event_ordering_key', 'outbox_event', 'ordering_key, status');
    await index('outbox_event_cause', 'outbox_event', 'cause, status');
    await dropIndex('outbox_event_pending_key', 'outbox_event');
    await dropIndex('outbox_event_cause_status', 'outbox_event');
    for (const column of ['pending_key', 'cause_status'])
      if (await hasColumn(runner, 'outbox_event', column))
        await runner.query(`ALTER TABLE outbox_event DROP COLUMN ${column}`);
  }

  async #generate(runner: QueryRunner, column: string, expression: string): Promise<void> {
    if (await hasColumn(runner, 'outbox_event', column.split(' ')[0] as string)) return;
    await runner.query(
      `ALTER TABLE outbox_event ADD COLUMN ${column} GENERATED ALWAYS AS (${expression}) VIRTUAL`,
    );
  }
}
