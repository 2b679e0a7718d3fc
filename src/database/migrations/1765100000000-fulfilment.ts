import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { hasColumn } from './repeatable.js';

/** What becomes of a box after the kitchen. Processes of an older version insert orders without it: NONE. */
export class Fulfilment1765100000000 implements MigrationInterface {
  readonly name = 'Fulfilment1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    const { instant } = columnTypes(runner);
    for (const [column, type] of [
      ['fulfilment', "VARCHAR(16) NOT NULL DEFAULT 'NONE'"],
      ['fulfilment_at', `${instant} NULL`],
    ] as const)
      if (!(await hasColumn(runner, 'box_order', column)))
        await runner.query(`ALTER TABLE box_order ADD COLUMN ${column} ${type}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of ['fulfilment_at', 'fulfilment'])
      if (await hasColumn(runner, 'box_order', column))
        await runner.query(`ALTER TABLE box_order DROP COLUMN ${column}`);
  }
}
