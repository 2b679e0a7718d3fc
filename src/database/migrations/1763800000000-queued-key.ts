import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasColumn, repeatable } from './repeatable.js';

/**
 * The ordering key of what is in the queue, and of nothing else, indexed: who stands beside an event in the queue is found without passing the
 * thousands that may wait behind it.
 */
export class QueuedKey1763800000000 implements MigrationInterface {
  readonly name = 'QueuedKey1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    if (!(await hasColumn(runner, 'outbox_event', 'queued_key')))
      await runner.query(
        'ALTER TABLE outbox_event ADD COLUMN queued_key VARCHAR(128) GENERATED ALWAYS AS (CASE WHEN queue_at IS NULL THEN NULL ELSE ordering_key END) VIRTUAL',
      );
    await repeatable(runner).index('outbox_event_queued_key', 'outbox_event', 'queued_key');
  }

  async down(runner: QueryRunner): Promise<void> {
    await repeatable(runner).dropIndex('outbox_event_queued_key', 'outbox_event');
    if (await hasColumn(runner, 'outbox_event', 'queued_key'))
      await runner.query('ALTER TABLE outbox_event DROP COLUMN queued_key');
  }
}
