import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasColumn, repeatable } from './repeatable.js';

/**
 * So that what nothing moves any more is found without reading every row: orders by status and refund, trades and till records by status. And who
 * executed a bulk act, because that may be another person than the one who previewed it.
 */
export class OpenRows1764003000000 implements MigrationInterface {
  readonly name = 'OpenRows1764003000000';

  async up(runner: QueryRunner): Promise<void> {
    const { index, dropIndex } = repeatable(runner);
    await index('box_order_of_status_refund', 'box_order', 'status, refund');
    await dropIndex('box_order_of_status', 'box_order');
    await index('coffee_trade_of_status', 'coffee_trade', 'status');
    await index('canteen_consumption_of_status', 'canteen_consumption', 'status');
    for (const [column, type] of executor)
      if (!(await hasColumn(runner, 'event_batch', column)))
        await runner.query(`ALTER TABLE event_batch ADD COLUMN ${column} ${type} NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    const { index, dropIndex } = repeatable(runner);
    for (const [column] of executor)
      if (await hasColumn(runner, 'event_batch', column))
        await runner.query(`ALTER TABLE event_batch DROP COLUMN ${column}`);
    await dropIndex('canteen_consumption_of_status', 'canteen_consumption');
    await dropIndex('coffee_trade_of_status', 'coffee_trade');
    await index('box_order_of_status', 'box_order', 'status');
    await dropIndex('box_order_of_status_refund', 'box_order');
  }
}

const executor = [
  ['executor', 'VARCHAR(128)'],
  ['executor_role', 'VARCHAR(16)'],
] as const;
