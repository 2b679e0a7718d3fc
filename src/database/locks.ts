import type { FindOneOptions } from 'typeorm';
import type { Queryable } from './queryable.js';

/**
 * `tx.manager.findOne(BoxOrder, { where: { id }, ...forUpdate(tx) })`: reads the newest committed state of
 * the rows and holds them until the transaction ends. SQLite needs no lock, and TypeORM refuses one there:
 * its write transactions are alone.
 */
export function forUpdate({ dialect }: Pick<Queryable, 'dialect'>): Pick<FindOneOptions, 'lock'> {
  return dialect.name === 'mysql' ? { lock: { mode: 'pessimistic_write' } } : {};
}
