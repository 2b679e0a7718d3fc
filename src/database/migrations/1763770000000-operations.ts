import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { repeatable } from './repeatable.js';

/** What people on call need: pauses of event types, what each process says of itself, a way from a request id to its events. */
export class Operations1763770000000 implements MigrationInterface {
  readonly name = 'Operations1763770000000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, instant, text } = columnTypes(runner);
    const { table, index } = repeatable(runner);
    await table(
      'event_pause',
      id,
      'scope VARCHAR(8) NOT NULL',
      'name VARCHAR(64) NOT NULL',
      'type VARCHAR(64) NOT NULL',
      `from_at ${instant} NOT NULL`,
      `until_at ${instant} NOT NULL`,
      `ended_at ${instant} NULL`,
      'actor VARCHAR(128) NOT NULL',
      'reason VARCHAR(500) NOT NULL',
    );
    await index('event_pause_until', 'event_pause', 'until_at');
    await index('outbox_event_request', 'outbox_event', 'request_id');
    await table(
      'process_heartbeat',
      'worker VARCHAR(100) NOT NULL PRIMARY KEY',
      'kind VARCHAR(16) NOT NULL',
      'version VARCHAR(32) NOT NULL',
      `started_at ${instant} NOT NULL`,
      `seen_at ${instant} NOT NULL`,
      `swept_at ${instant} NULL`,
      'sweep_ms INT NULL',
      'running INT NOT NULL',
      `breakers ${text} NOT NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await repeatable(runner).dropIndex('outbox_event_request', 'outbox_event');
    await runner.query('DROP TABLE IF EXISTS process_heartbeat');
    await runner.query('DROP TABLE IF EXISTS event_pause');
  }
}
