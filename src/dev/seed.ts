import { businessDay } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { raw, type Sql, sql } from '../database/sql.js';
import { causeOf } from '../outbox/cause.js';
import { packExchanges } from '../outbox/exchanges.js';

export const scales = { small: 2_000, big: 1_000_000 } as const;
export type Scale = keyof typeof scales;

const CHUNK = 10_000;
const ATTEMPTS = 3;
const SPAN_DAYS = 60;
/** One event in ten waits for a person. */
const ERRORED_EACH = 10;

const types = [
  'MEICAN_NEW_V2_ORDER',
  'ENERGY_CENTER_V2_CANCEL',
  'MEICAN_V2_CANCEL',
  'ENERGY_CENTER_ROLLBACK_V2_ERROR',
  'ZHIPAN_SYNC_ERROR',
] as const;
/** What each type fails of, when it fails. */
const failures = [
  { code: 'DISH_NOT_AVAILABLE', message: 'Meican refused: dish 101 is not on the menu', outcome: 'rejected' },
  { code: 'TIMEOUT', message: 'no answer to refund R20261123000001', outcome: 'unknown' },
  { code: 'ORDER_CLOSED', message: 'Meican refused: order 33211 is closed', outcome: 'rejected' },
  { code: 'HTTP_500', message: 'the energy center answered 500', outcome: 'unknown' },
  { code: '40401', message: 'account 17 is not known', outcome: 'rejected' },
] as const;

export class NotEmpty extends Error {
  override readonly name = 'NotEmpty';
}

/**
 * Fills an empty database with believable stories: events of five types over sixty days, one in ten errored for one of five causes, three
 * attempts each. By statements over sets, so that a million take a few minutes. Throws NotEmpty where there are events already.
 */
export async function seed(
  database: Database,
  events: number,
  onProgress: (done: number, of: number) => void,
): Promise<void> {
  if ((await database.query(sql`SELECT id FROM outbox_event LIMIT 1`)).length > 0)
    throw new NotEmpty('there are events already: seed an empty database');
  const mysql = database.dialect.name === 'mysql';
  const n = raw(mysql ? 'CAST(d.n AS SIGNED)' : 'd.n');
  const divided = (by: number): Sql => sql`${n} ${raw(mysql ? 'DIV' : '/')} ${raw(String(by))}`;
  const text = (...parts: Sql[]): Sql =>
    mysql
      ? sql`CONCAT(${parts.reduce((all, part) => sql`${all}, ${part}`)})`
      : parts.reduce((all, part) => sql`${all} || ${part}`);
  const padded = (value: Sql, width: number): Sql =>
    mysql ? sql`LPAD(${value}, ${raw(String(width))}, '0')` : sql`printf(${raw(`'%0${width}d'`)}, ${value})`;
  const nth = (index: Sql, values: readonly string[]): Sql =>
    sql`CASE ${index} ${values.map((value, i) => sql`WHEN ${raw(String(i))} THEN ${value} `).reduce((all, one) => sql`${all}${one}`)} END`;
  const secondsEach = (SPAN_DAYS * 86_400) / events;
  const ago = sql`(${raw(String(events))} - ${n}) * ${raw(secondsEach.toFixed(6))}`;
  const at = (plus = 0): Sql =>
    mysql
      ? sql`TIMESTAMPADD(SECOND, -FLOOR(${ago}) + ${raw(String(plus))}, UTC_TIMESTAMP(3))`
      : sql`strftime('%Y-%m-%d %H:%M:%f', 'now', (-CAST(${ago} AS INTEGER) + ${raw(String(plus))}) || ' seconds')`;

  const kind = sql`(${divided(ERRORED_EACH)}) % ${raw(String(types.length))}`;
  const isErrored = sql`${n} % ${raw(String(ERRORED_EACH))} = 7`;
  const orderId = sql`(${divided(3)} + 1)`;
  const day = businessDay(Date.now()).replaceAll('-', '');
  const orderNo = text(sql`${day}`, padded(orderId, 7));
  const digits = raw(
    `(SELECT 0 AS i ${Array.from({ length: 9 }, (_, i) => `UNION ALL SELECT ${i + 1}`).join(' ')})`,
  );
  const numbers = (from: number): Sql =>
    sql`(SELECT ${raw(String(from))} + a.i + 10 * b.i + 100 * c.i + 1000 * e.i AS n FROM ${digits} AS a, ${digits} AS b, ${digits} AS c, ${digits} AS e) AS d`;
  const causes = types.map((type, i) => causeOf(type, { ...(failures[i] as (typeof failures)[number]) }));
  const exchange = packExchanges([
    {
      call: 'vendor.call',
      at: new Date(0).toISOString(),
      durationMs: 120,
      request: {
        method: 'POST',
        path: '/seeded',
        headers: { 'content-type': 'application/json' },
        body: '{"seeded":true,"note":"a story that never happened"}',
      },
      answer: { status: 500, headers: { 'content-type': 'application/json' }, body: '{"code":"SEEDED"}' },
      outcome: 'unknown',
      code: 'SEEDED',
    },
  ]);

  for (let from = 0; from < events; from += CHUNK) {
    const of = sql`FROM ${numbers(from)} WHERE d.n < ${raw(String(events))}`;
    await database.execute(sql`
      INSERT INTO box_order (id, order_no, user_id, email, real_name, garden, corp, status, dish_id, dish_name, meican_dish_id, sideboard_id, address_id, edible_date, meal_type, cutoff_at, price_in_cent, refund, created_at, updated_at)
      SELECT ${orderId}, ${orderNo}, ${text(sql`'seed-'`, sql`(${divided(3)}) % 5000`)}, 'seed@example.com', 'Seed', 'seed', 'seed', 'SYSTEM_CANCEL', 1, '宫保鸡丁', '101', 1, 'A1', '2026-01-01', 'LUNCH', ${at()}, 2300, 'DONE', ${at()}, ${at(2)}
      ${of} AND d.n % 3 = 0`);
    await database.execute(sql`
      INSERT INTO outbox_event (id, type, status, subject_id, subject_no, payload, payload_version, dedupe_key, ordering_key, attempt, failures, run_at, outcome, last_error_code, last_error_message, cause, request_id, created_at, settled_at)
      SELECT ${n} + 1, ${nth(kind, types)}, CASE WHEN ${isErrored} THEN 'errored' ELSE 'handled' END, ${orderId}, ${orderNo}, ${text(sql`'{"seed":'`, n, sql`'}'`)}, 1, ${text(sql`'seed:'`, n)}, NULL, ${raw(String(ATTEMPTS))},
        CASE WHEN ${isErrored} THEN 3 ELSE 0 END, ${at()}, CASE WHEN ${isErrored} THEN ${nth(
          kind,
          failures.map(({ outcome }) => outcome),
        )} ELSE 'applied' END,
        CASE WHEN ${isErrored} THEN ${nth(
          kind,
          failures.map(({ code }) => code),
        )} END, CASE WHEN ${isErrored} THEN ${nth(
          kind,
          failures.map(({ message }) => message),
        )} END,
        CASE WHEN ${isErrored} THEN ${nth(kind, causes)} END, ${text(sql`'seed-request-'`, orderId)}, ${at()}, ${at(60)}
      ${of}`);
    for (let number = 1; number <= ATTEMPTS; number++) {
      const last = number === ATTEMPTS;
      await database.execute(sql`
        INSERT INTO event_attempt (event_id, number, ${raw('`trigger`')}, worker, started_at, finished_at, duration_ms, outcome, decision, error_code, error_message, exchanges)
        SELECT ${n} + 1, ${raw(String(number))}, 'sweep', 'seed-1', ${at(number * 15)}, ${at(number * 15 + 1)}, 120, ${
          last
            ? sql`CASE WHEN ${isErrored} THEN ${nth(
                kind,
                failures.map(({ outcome }) => outcome),
              )} ELSE 'applied' END`
            : sql`'not-applied'`
        },
          ${last ? sql`CASE WHEN ${isErrored} THEN 'errored after 3 failures' ELSE 'handled' END` : sql`'to be repeated'`}, ${
            last
              ? sql`CASE WHEN ${isErrored} THEN ${nth(
                  kind,
                  failures.map(({ code }) => code),
                )} END`
              : sql`'SEEDED'`
          }, NULL, CASE WHEN ${isErrored} THEN ${exchange} END
        ${of}`);
    }
    onProgress(Math.min(events, from + CHUNK), events);
  }
  for (const [i, cause] of causes.entries()) {
    const failure = failures[i] as (typeof failures)[number];
    const { insertId } = await database.execute(sql`
      INSERT INTO alert (group_key, kind, status, title, cause, event_type, occurrences, unsent, round, first_at, last_at, sent_at)
      SELECT ${cause}, ${failure.outcome === 'unknown' ? 'unknown' : 'errored'}, 'open', ${types[i] ?? ''}, ${`${failure.code}: ${failure.message}`}, ${types[i] ?? ''}, COUNT(*), 0, 1, MIN(settled_at), MAX(settled_at), MAX(settled_at)
      FROM outbox_event WHERE cause = ${cause}`);
    await database.execute(sql`
      INSERT INTO alert_occurrence (alert_id, event_id, subject_id, subject_no, at)
      SELECT ${insertId}, id, subject_id, subject_no, settled_at FROM outbox_event WHERE cause = ${cause} AND status = 'errored' ORDER BY id`);
  }
}
