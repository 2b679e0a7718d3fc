import { businessDay } from '../base/clock.js';
import { type Dialect, raw, type Sql, sql } from '../database/sql.js';

/**
 * The statements that fill a database with stories: each writes a whole chunk of rows, computed by the
 * database from a series of numbers, because a million rows one by one would take an hour. They run once, on
 * an empty database.
 */

export const CHUNK = 10_000;
export const ATTEMPTS = 3;
const SPAN_DAYS = 60;
/** One event in ten waits for a person. */
const ERRORED_EACH = 10;

/** What a type of event fails of, when it fails. */
export interface SeededType {
  readonly type: string;
  readonly code: string;
  readonly message: string;
  readonly outcome: string;
  /** As `causeOf` names it. */
  readonly cause: string;
}

/** The parts of an expression that the two databases spell differently. `n`: the number of the row. */
interface Spelling {
  readonly n: Sql;
  divided(by: number): Sql;
  text(...parts: Sql[]): Sql;
  padded(value: Sql, width: number): Sql;
  /** `ago`: seconds. */
  at(ago: Sql, plusS: number): Sql;
}

const number = (value: number): Sql => raw(String(value));

const mysqlSpelling: Spelling = {
  n: raw('CAST(d.n AS SIGNED)'),
  divided: (by) => sql`${mysqlSpelling.n} DIV ${number(by)}`,
  text: (...parts) => sql`CONCAT(${parts.reduce((all, part) => sql`${all}, ${part}`)})`,
  padded: (value, width) => sql`LPAD(${value}, ${number(width)}, '0')`,
  at: (ago, plusS) => sql`TIMESTAMPADD(SECOND, -FLOOR(${ago}) + ${number(plusS)}, UTC_TIMESTAMP(3))`,
};

const sqliteSpelling: Spelling = {
  n: raw('d.n'),
  divided: (by) => sql`d.n / ${number(by)}`,
  text: (...parts) => parts.reduce((all, part) => sql`${all} || ${part}`),
  padded: (value, width) => sql`printf(${raw(`'%0${width}d'`)}, ${value})`,
  at: (ago, plusS) =>
    sql`strftime('%Y-%m-%d %H:%M:%f', 'now', (-CAST(${ago} AS INTEGER) + ${number(plusS)}) || ' seconds')`,
};

/**
 * `total` events of these types over sixty days, an order for every three; `exchange`: what the last attempt
 * of an errored event keeps.
 */
export function seedStatements(
  dialect: Dialect,
  types: readonly SeededType[],
  total: number,
  exchange: string | null,
) {
  const {
    n,
    divided,
    text,
    padded,
    at: instantAt,
  } = dialect.name === 'mysql' ? mysqlSpelling : sqliteSpelling;
  const ago = sql`(${number(total)} - ${n}) * ${raw(((SPAN_DAYS * 86_400) / total).toFixed(6))}`;
  const at = (plusS = 0): Sql => instantAt(ago, plusS);
  const kind = sql`(${divided(ERRORED_EACH)}) % ${number(types.length)}`;
  const ofType = (member: keyof SeededType): Sql =>
    nth(
      kind,
      types.map((one) => one[member]),
    );
  const isErrored = sql`${n} % ${number(ERRORED_EACH)} = 7`;
  const whenErrored = (then: Sql): Sql => sql`CASE WHEN ${isErrored} THEN ${then} END`;
  const orderId = sql`(${divided(3)} + 1)`;
  const day = businessDay(Date.now()).replaceAll('-', '');
  const orderNo = text(sql`${day}`, padded(orderId, 7));
  const rows = (from: number): Sql => sql`FROM ${series(from)} WHERE d.n < ${number(total)}`;
  const outcome = sql`CASE WHEN ${isErrored} THEN ${ofType('outcome')} ELSE 'applied' END`;
  return { orders, events, attempts };

  function orders(from: number): Sql {
    return sql`
      INSERT INTO box_order (id, order_no, user_id, email, real_name, garden, corp, status, dish_id, dish_name, meican_dish_id, sideboard_id, address_id, edible_date, meal_type, cutoff_at, price_in_cent, refund, created_at, updated_at)
      SELECT ${orderId}, ${orderNo}, ${text(sql`'seed-'`, sql`(${divided(3)}) % 5000`)}, 'seed@example.com', 'Seed', 'seed', 'seed', 'SYSTEM_CANCEL', 1, '宫保鸡丁', '101', 1, 'A1', '2026-01-01', 'LUNCH', ${at()}, 2300, 'DONE', ${at()}, ${at(2)}
      ${rows(from)} AND d.n % 3 = 0`;
  }

  function events(from: number): Sql {
    return sql`
      INSERT INTO outbox_event (id, type, status, subject_id, subject_no, payload, payload_version, dedupe_key, ordering_key, attempt, failures, run_at, outcome, last_error_code, last_error_message, cause, request_id, created_at, settled_at)
      SELECT ${n} + 1, ${ofType('type')}, CASE WHEN ${isErrored} THEN 'errored' ELSE 'handled' END, ${orderId}, ${orderNo}, ${text(sql`'{"seed":'`, n, sql`'}'`)}, 1, ${text(sql`'seed:'`, n)}, NULL, ${number(ATTEMPTS)},
        CASE WHEN ${isErrored} THEN 3 ELSE 0 END, ${at()}, ${outcome}, ${whenErrored(ofType('code'))}, ${whenErrored(ofType('message'))}, ${whenErrored(ofType('cause'))},
        ${text(sql`'seed-request-'`, orderId)}, ${at()}, ${at(60)}
      ${rows(from)}`;
  }

  /** The `attempt`th of each event; the last one ends it. */
  function attempts(from: number, attempt: number): Sql {
    const isLast = attempt === ATTEMPTS;
    const decision = sql`CASE WHEN ${isErrored} THEN 'errored after 3 failures' ELSE 'handled' END`;
    return sql`
      INSERT INTO event_attempt (event_id, number, ${raw('`trigger`')}, worker, started_at, finished_at, duration_ms, outcome, decision, error_code, error_message, exchanges)
      SELECT ${n} + 1, ${number(attempt)}, 'sweep', 'seed-1', ${at(attempt * 15)}, ${at(attempt * 15 + 1)}, 120, ${isLast ? outcome : sql`'not-applied'`},
        ${isLast ? decision : sql`'to be repeated'`}, ${isLast ? whenErrored(ofType('code')) : sql`'SEEDED'`}, NULL, ${whenErrored(sql`${exchange}`)}
      ${rows(from)}`;
  }
}

/** The group of one cause, with the number of its events. */
export function seedAlert({ type, code, message, outcome, cause }: SeededType): Sql {
  return sql`
      INSERT INTO alert (group_key, kind, status, title, cause, event_type, occurrences, unsent, round, first_at, last_at, sent_at)
      SELECT ${cause}, ${outcome === 'unknown' ? 'unknown' : 'errored'}, 'open', ${type}, ${`${code}: ${message}`}, ${type}, COUNT(*), 0, 1, MIN(settled_at), MAX(settled_at), MAX(settled_at)
      FROM outbox_event WHERE cause = ${cause}`;
}

export function seedOccurrences(alertId: string, cause: string): Sql {
  return sql`
      INSERT INTO alert_occurrence (alert_id, event_id, subject_id, subject_no, at)
      SELECT ${alertId}, id, subject_id, subject_no, settled_at FROM outbox_event WHERE cause = ${cause} AND status = 'errored' ORDER BY id`;
}

/** The `index`th of these values. */
function nth(index: Sql, values: readonly string[]): Sql {
  const cases = values.map((value, i) => sql`WHEN ${number(i)} THEN ${value} `);
  return sql`CASE ${index} ${cases.reduce((all, one) => sql`${all}${one}`)} END`;
}

/** A chunk of numbers, as the table `d` with the column `n`. */
function series(from: number): Sql {
  const digits = raw(
    `(SELECT 0 AS i ${Array.from({ length: 9 }, (_, i) => `UNION ALL SELECT ${i + 1}`).join(' ')})`,
  );
  return sql`(SELECT ${number(from)} + a.i + 10 * b.i + 100 * c.i + 1000 * e.i AS n FROM ${digits} AS a, ${digits} AS b, ${digits} AS c, ${digits} AS e) AS d`;
}
