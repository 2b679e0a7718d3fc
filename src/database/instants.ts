import { type FindOperator, LessThan, LessThanOrEqual, MoreThan, Raw } from 'typeorm';
import type { Queryable } from './queryable.js';

/**
 * The database's clock in TypeORM's values and conditions, as `now` and `after` are in our own SQL. `plusMs` is
 * counted from the database's now; it becomes part of the statement's text, so it is a constant of the
 * program or of its settings.
 */

/** A column's value: `update(OrderCounter, …, { seenAt: instant(tx) })`. */
export function instant({ dialect }: Pick<Queryable, 'dialect'>, plusMs = 0): Date {
  // TypeORM takes a function for an SQL expression. Its types allow one wherever they allow the column's
  // type.
  return dialect.moment(plusMs) as Date;
}

/** A condition: later than that. `find(Alert, { where: { lastAt: isAfter(database, -60_000) } })`. */
export function isAfter({ dialect }: Pick<Queryable, 'dialect'>, plusMs = 0): FindOperator<Date> {
  return compared(dialect.moment(plusMs), '>', MoreThan);
}

export function isBefore({ dialect }: Pick<Queryable, 'dialect'>, plusMs = 0): FindOperator<Date> {
  return compared(dialect.moment(plusMs), '<', LessThan);
}

export function isNotAfter({ dialect }: Pick<Queryable, 'dialect'>, plusMs = 0): FindOperator<Date> {
  return compared(dialect.moment(plusMs), '<=', LessThanOrEqual);
}

function compared(
  moment: Date | (() => string),
  sign: string,
  operator: (value: Date) => FindOperator<Date>,
): FindOperator<Date> {
  return moment instanceof Date ? operator(moment) : Raw((column) => `${column} ${sign} ${moment()}`);
}
