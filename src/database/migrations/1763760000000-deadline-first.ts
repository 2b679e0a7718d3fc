import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasColumn, repeatable } from './repeatable.js';

/**
 * So that a backlog is worked off earliest deadline first: the deadline of what is in the queue, and of nothing else, indexed. Events
 * without a deadline have no value there, so that moving them in the queue touches nothing.
 */
export class DeadlineFirst1763760000000 implements MigrationInterface {
  readonly name = 'DeadlineFirst1763760000000';

  async up(runner: QueryRunner): Promise<void> {
    const { instant } = columnTypes(runner);
    if (!(await hasColumn(runner, 'outbox_event', 'urgent_at')))
      await runner.query(
        `ALTER TABLE outbox_event ADD COLUMN urgent_at ${instant} GENERATED ALWAYS AS (CASE WHEN queue_at IS NULL THEN NULL ELSE deadline_at END) VIRTUAL`,
      );
    await repeatable(runner).index('outbox_event_urgent', 'outbox_event', 'urgent_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await repeatable(runner).dropIndex('outbox_event_urgent', 'outbox_event');
    if (await hasColumn(runner, 'outbox_event', 'urgent_at'))
      await runner.query('ALTER TABLE outbox_event DROP COLUMN urgent_at');
  }
}
