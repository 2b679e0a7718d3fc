import {
  type EntityTarget,
  type FindOperator,
  type InsertResult,
  type ObjectLiteral,
  type QueryDeepPartialEntity,
  Raw,
} from 'typeorm';
import type { Queryable } from './queryable.js';
import { idDigits } from './sql.js';

/**
 * One INSERT and nothing else; `manager.insert` would read the row's defaults back. Returns the id that the
 * database gave. Throws as the database does: `duplicateOf(error)` names the unique index.
 */
export async function insertRow<E extends ObjectLiteral>(
  { manager, dialect }: Pick<Queryable, 'manager' | 'dialect'>,
  entity: EntityTarget<E>,
  row: QueryDeepPartialEntity<E>,
): Promise<string> {
  const insert = manager.createQueryBuilder().insert().into(entity).values(row).updateEntity(false);
  const { raw } = (await insert.execute()) as InsertResult & { raw: { insertId: number | string } | number };
  return String(dialect.name === 'mysql' ? (raw as { insertId: number | string }).insertId : raw);
}

/**
 * A condition: the id is one of these. The ids are written as numbers: as text MariaDB would compare them
 * with a BIGINT column as decimals, once for each row and each id of the list.
 */
export function inIds(ids: readonly string[]): FindOperator<string> {
  const list = ids.length === 0 ? 'NULL' : ids.map(idDigits).join(', ');
  return Raw((column) => `${column} IN (${list})`);
}
