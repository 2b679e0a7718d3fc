import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasIndex } from './repeatable.js';

/** What people on call need: pauses of event types, what each process says of itself, a way from a request id to its events. */
export class Operations1763770000000 implements MigrationInterface {
  readonly name = 'Operations1763770000000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, instant, text, engine } = columnTypes(runner);
    const table = (name: string, ...lines: string[]): Promise<unknown> =>
      runner.query(`CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n)${engine}`);
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
    if (!(await hasIndex(runner, 'event_pause', 'event_pause_until'))) await runner.query('CREATE INDEX event_pause_until ON event_pause (until_at)');
    if (!(await hasIndex(runner, 'outbox_event', 'outbox_event_request'))) await runner.query('CREATE INDEX outbox_event_request ON outbox_event (request_id)');
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
    const mysql = runner.connection.options.type === 'mysql';
    if (await hasIndex(runner, 'outbox_event', 'outbox_event_request')) await runner.query(`DROP INDEX outbox_event_request${mysql ? ' ON outbox_event' : ''}`);
    await runner.query('DROP TABLE IF EXISTS process_heartbeat');
    await runner.query('DROP TABLE IF EXISTS event_pause');
  }
}
