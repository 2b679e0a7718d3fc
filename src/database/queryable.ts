import type { EntityManager } from 'typeorm';
import type { Dialect, Sql } from './sql.js';

export interface Executed {
  /** Rows matched by an UPDATE or DELETE, rows inserted by an INSERT. */
  readonly affected: number;
  /** The id that an AUTO_INCREMENT column gave to the (first) row, as a string. */
  readonly insertId: string;
}

/** The database, or an open transaction. */
export interface Queryable {
  readonly dialect: Dialect;
  /**
   * TypeORM on the same connection pool or in the same transaction: reads, and writes that are not hot, go
   * through it. The statements of one transaction may use both: `tx.manager.update(…)` and `tx.execute(sql…)`
   * are one unit.
   */
  readonly manager: EntityManager;
  query<T extends object>(statement: Sql): Promise<T[]>;
  execute(statement: Sql): Promise<Executed>;
  /** The database's clock: the one clock that leases, due times and cut-offs are compared with. */
  now(): Promise<Date>;
}

/**
 * An open transaction. Pass it on; never use the Database itself while a transaction is open in the same
 * flow.
 */
export interface Tx extends Queryable {
  readonly isOpen: boolean;
  /** Runs after the transaction has committed; never runs when it has rolled back. */
  afterCommit(hook: () => void): void;
}
