import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { Queryable } from './database.js';

/**
 * Rows of `SELECT *` as their entities, as TypeORM's own reading would return them, without the cost of
 * building a query.
 */
export function entitiesOf<T extends ObjectLiteral>(
  { manager }: Pick<Queryable, 'manager'>,
  entity: EntityTarget<T>,
  rows: readonly object[],
): T[] {
  const { connection: source } = manager;
  const columns = source.getMetadata(entity).columns.filter(({ isSelect }) => isSelect);
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
