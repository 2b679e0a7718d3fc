/**
 * SQL as values. A statement is written once, with `?` never typed by hand, and rendered for the dialect it
 * runs on. Every value in `${}` becomes a bound parameter, unless it is itself a piece of SQL.
 */
type SqlValue = string | number | null | Date;

/** An instant of the database's own clock, `plusMs` from now. */
export interface DatabaseInstant {
  readonly kind: 'instant';
  readonly plusMs: number;
}

export interface Sql {
  readonly kind: 'sql';
  readonly strings: readonly string[];
  readonly values: readonly SqlPart[];
  /** A list of varying length: every length is another text. */
  readonly isList?: true;
}
type SqlPart = SqlValue | Sql | DatabaseInstant | DialectText;

/** A constant that the dialects word differently: which index to read by, how to lock a row. */
export interface DialectText {
  readonly kind: 'dialect';
  text(dialect: Dialect): string;
}

export interface Rendered {
  readonly text: string;
  readonly params: readonly (string | number | null)[];
  /** The same text is sent again with other parameters, so it is prepared. */
  readonly isStable: boolean;
}

export interface Dialect {
  readonly name: 'mysql' | 'sqlite';
  /** Text and parameters of the database clock, shifted by `plusMs`. */
  instant(plusMs: number): Omit<Rendered, 'isStable'>;
  /** The same for TypeORM: a value of its own, or the text of an expression. See `instants.ts`. */
  moment(plusMs: number): Date | (() => string);
  /**
   * Appended to a table that must be read by this index: another index would lock rows that were not asked
   * for.
   */
  useIndex(name: string): string;
  /**
   * The same for the primary key. By statistics of a quiet hour an index on a status looks as good, and in a
   * burst it is not.
   */
  readonly byPrimaryKey: string;
  /** An expression whose value the UPDATE that uses it reports as `insertId`; SQLite's does not. */
  remembered(expression: Sql): Sql;
  /** Appended to a SELECT that claims rows; SQLite needs none, its write transactions are alone. */
  readonly skipLocked: string;
  /** Appended to a SELECT that must see, and hold, the newest state of its rows. */
  readonly forUpdate: string;
}

export function sql(strings: TemplateStringsArray, ...values: SqlPart[]): Sql {
  return { kind: 'sql', strings, values };
}

/** A constant of the program, such as a column name. Never pass text that came from outside. */
export function raw(text: string): Sql {
  return { kind: 'sql', strings: [text], values: [] };
}

export function join(parts: readonly SqlPart[], separator = ', '): Sql {
  const strings = parts.map((_, i) => (i === 0 ? '' : separator));
  return {
    kind: 'sql',
    strings: [...strings, ''],
    values: parts,
    ...(parts.length > 1 ? { isList: true } : {}),
  };
}

/**
 * Ids of rows, as numbers. As text MariaDB would compare them with a BIGINT column as decimals: once for each
 * row and each id of the list. One alone is a parameter like any other, so that its statement is prepared.
 */
export function ids(list: readonly string[]): Sql {
  const [first] = list;
  return list.length === 1 && first !== undefined
    ? join([first])
    : { kind: 'sql', strings: [list.map(idDigits).join(', ')], values: [], isList: true };
}

/** One id among many in a statement whose text is never the same; see `ids`. */
export function idAmongMany(id: string): Sql {
  return { kind: 'sql', strings: [idDigits(id)], values: [], isList: true };
}

export function idDigits(id: string): string {
  if (!/^\d{1,20}$/.test(id)) throw new TypeError('not the id of a row');
  return id;
}

/** `FROM outbox_event ${byIndex('outbox_event_queue')}`; see `Dialect.useIndex`. */
export function byIndex(name: string): DialectText {
  return { kind: 'dialect', text: (dialect) => dialect.useIndex(name) };
}

export const byPrimaryKey: DialectText = { kind: 'dialect', text: (dialect) => dialect.byPrimaryKey };
export const skipLocked: DialectText = { kind: 'dialect', text: (dialect) => dialect.skipLocked };
export const lockingRows: DialectText = { kind: 'dialect', text: (dialect) => dialect.forUpdate };

/** `now` of the database. */
export const now: DatabaseInstant = { kind: 'instant', plusMs: 0 };

/** The database's now plus `ms` milliseconds. */
export function after(ms: number): DatabaseInstant {
  return { kind: 'instant', plusMs: Math.round(ms) };
}

export function render(statement: Sql, dialect: Dialect): Rendered {
  const text: string[] = [];
  const params: (string | number | null)[] = [];
  let isStable = true;
  const add = (piece: Sql): void => {
    if (piece.isList) isStable = false;
    piece.strings.forEach((string, i) => {
      text.push(string);
      if (i >= piece.values.length) return;
      const value = piece.values[i];
      if (value === undefined) throw new TypeError('an undefined value reached a statement');
      if (value === null || typeof value === 'string' || typeof value === 'number') {
        text.push('?');
        params.push(value);
      } else if (value instanceof Date) {
        text.push('?');
        params.push(toSqlInstant(value));
      } else if (value.kind === 'instant') {
        const instant = dialect.instant(value.plusMs);
        text.push(instant.text);
        params.push(...instant.params);
      } else if (value.kind === 'dialect') text.push(value.text(dialect));
      else add(value);
    });
  };
  add(statement);
  return { text: text.join(''), params, isStable };
}

/** `2026-11-23 10:30:00.000`, UTC: how both databases store an instant. */
export function toSqlInstant(instant: Date): string {
  return instant.toISOString().replace('T', ' ').replace('Z', '');
}

/** An instant as a driver returns it: a Date (mysql2) or UTC text (SQLite). */
export function fromSqlInstant(value: unknown): Date {
  if (value instanceof Date) return value;
  if (typeof value !== 'string') throw new TypeError(`not an instant: ${typeof value}`);
  return new Date(`${value.replace(' ', 'T')}Z`);
}

export function fromSqlInstantOrNull(value: unknown): Date | null {
  return value === null || value === undefined ? null : fromSqlInstant(value);
}
