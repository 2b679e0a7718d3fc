import type { EntityManager, QueryRunner } from 'typeorm';
import type { Executed, Tx } from './queryable.js';
import type { Dialect, Sql } from './sql.js';
import { change, readClock, select } from './statement.js';

/** What `Database.transaction` passes to its work. */
export class Transaction implements Tx {
  isOpen = true;
  readonly hooks: (() => void)[] = [];

  constructor(
    private readonly runner: QueryRunner,
    readonly dialect: Dialect,
  ) {}

  /** After the end TypeORM itself refuses: the runner is released. */
  get manager(): EntityManager {
    return this.runner.manager;
  }

  async query<T extends object>(statement: Sql): Promise<T[]> {
    this.#refuseClosed();
    return select<T>(this.runner, this.dialect, statement);
  }

  async execute(statement: Sql): Promise<Executed> {
    this.#refuseClosed();
    return change(this.runner, this.dialect, statement);
  }

  now(): Promise<Date> {
    return readClock(this);
  }

  afterCommit(hook: () => void): void {
    this.hooks.push(hook);
  }

  #refuseClosed(): void {
    if (!this.isOpen) throw new Error('the transaction has ended');
  }
}
