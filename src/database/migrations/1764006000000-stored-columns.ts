import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Column, type, expression, index with its columns. */
const generated = [
  [
    'urgent_at',
    'DATETIME(3)',
    'CASE WHEN queue_at IS NULL THEN NULL ELSE deadline_at END',
    'outbox_event_urgent (urgent_at)',
  ],
  [
    'queued_key',
    'VARCHAR(128)',
    'CASE WHEN queue_at IS NULL THEN NULL ELSE ordering_key END',
    'outbox_event_queued_key (queued_key)',
  ],
  [
    'pending_key',
    'VARCHAR(128)',
    "CASE WHEN status = 'pending' THEN ordering_key ELSE NULL END",
    'outbox_event_pending_key (pending_key)',
  ],
  [
    'cause_status',
    'VARCHAR(10)',
    'CASE WHEN cause IS NULL THEN NULL ELSE status END',
    'outbox_event_cause_status (cause, cause_status)',
  ],
] as const;

/**
 * The generated columns of the event table are stored in its rows. An index on a VIRTUAL column is not safe in MariaDB: its purge computes the old
 * value anew, and after a crash it took the index for corrupt ("tried to purge non-delete-marked record", MDEV-38140), after which every claim failed
 * until the table was rebuilt. One statement, so that one that is killed has done all of it or nothing. SQLite has no purge and keeps its columns.
 */
export class StoredColumns1764006000000 implements MigrationInterface {
  readonly name = 'StoredColumns1764006000000';

  async up(runner: QueryRunner): Promise<void> {
    await rebuild(runner, 'STORED');
  }

  async down(runner: QueryRunner): Promise<void> {
    await rebuild(runner, 'VIRTUAL');
  }
}

async function rebuild(runner: QueryRunner, as: 'STORED' | 'VIRTUAL'): Promise<void> {
  if (runner.connection.options.type !== 'mysql') return;
  const [found] = (await runner.query(
    "SELECT EXTRA AS extra FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'outbox_event' AND column_name = 'urgent_at'",
  )) as { extra: string }[];
  if (found?.extra.includes(as)) return;
  await runner.query(
    `ALTER TABLE outbox_event ${[
      ...generated.map(([, , , index]) => `DROP INDEX ${index.split(' ')[0]}`),
      ...generated.map(([column]) => `DROP COLUMN ${column}`),
      ...generated.map(
        ([column, type, expression]) =>
          `ADD COLUMN ${column} ${type} GENERATED ALWAYS AS (${expression}) ${as}`,
      ),
      ...generated.map(([, , , index]) => `ADD INDEX ${index}`),
    ].join(', ')}`,
  );
}
