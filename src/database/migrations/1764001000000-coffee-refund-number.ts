import type { MigrationInterface, QueryRunner } from 'typeorm';
import { hasColumn, repeatable } from './repeatable.js';

/** A coffee trade keeps the number of its refund: trades from before keep `R<tradeNo>`, new ones have `RC<tradeNo>`; no number serves two trades. */
export class CoffeeRefundNumber1764001000000 implements MigrationInterface {
  readonly name = 'CoffeeRefundNumber1764001000000';

  async up(runner: QueryRunner): Promise<void> {
    const isMysql = runner.connection.options.type === 'mysql';
    if (!(await hasColumn(runner, 'coffee_trade', 'out_refund_no')))
      await runner.query('ALTER TABLE coffee_trade ADD COLUMN out_refund_no VARCHAR(64) NULL');
    await runner.query(
      `UPDATE coffee_trade SET out_refund_no = ${isMysql ? "CONCAT('R', trade_no)" : "'R' || trade_no"} WHERE out_refund_no IS NULL`,
    );
    await repeatable(runner).index('coffee_refund_no', 'coffee_trade', 'out_refund_no', true);
  }

  async down(runner: QueryRunner): Promise<void> {
    await repeatable(runner).dropIndex('coffee_refund_no', 'coffee_trade');
    if (await hasColumn(runner, 'coffee_trade', 'out_refund_no'))
      await runner.query('ALTER TABLE coffee_trade DROP COLUMN out_refund_no');
  }
}
