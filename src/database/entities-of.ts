import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { Queryable } from './database.js';

/** Rows of `SELECT *` as their entities: what TypeORM's own reading makes of them, without a query that is built anew each time. */
export function entitiesOf<T extends ObjectLiteral>(
  { manager }: Pick<Queryable, 'manager'>,
  entity: EntityTarget<T>,
  rows: readonly object[],
): T[] {
  const { connection: source } = manager;
  const { columns } = source.getMetadata(entity);
  return rows.map((row) => {
    const found: Record<string, unknown> = {};
    for (const column of columns)
      found[column.propertyName] = source.driver.prepareHydratedValue(
        (row as Record<string, unknown>)[column.databaseName],
        column,
      );
    return found as T;
  });
}
