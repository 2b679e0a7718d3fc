import { join, sql } from '../../src/database/sql.js';
import type { Exchange } from '../../src/entities/event-attempt.js';
import { judgeBooks, judgeEvents, namedByErrors } from '../support/judge.js';
import type { Diners } from './diners.js';
import { POISON, POISON_ATTEMPTS_MAX } from './poison.js';
import type { AttemptSeen, World } from './world.js';

const CODES_OF_BUGS = ['handler-threw', 'effect-failed', 'order-gone', 'payload-invalid', 'CONTRADICTION'];
/** Errors that stay, because the vendor said no for good. */
const FINAL = [
  /^MEICAN_V2_CANCEL: ORDER_CLOSED/,
  /^COFFEE_CONSUME_CANCEL: NO_SUCH_TRADE/,
  /^BOOKS_COMPARE/,
  /^EVENT_BATCH/,
];

export interface Circumstances {
  readonly failuresMax: number;
  readonly cutoffAtMs: number;
}

/**
 * Whatever the implementation did in between, at rest these hold; one sentence for each that does not. They are written from the promises of the
 * design and from the vendors' contract.
 */
export async function verdict(world: World, diners: Diners, circumstances: Circumstances): Promise<string[]> {
  const { database, vendors } = world;
  const books = vendors.books();
  const named = await namedByErrors(database);
  const accepted = await acceptedLosses(world);
  const adopted = await adoptedMeals(world);
  const excused = (orderNo: string | null): boolean =>
    accepted.has(orderNo ?? '') || FINAL.some((pattern) => pattern.test(named.get(orderNo ?? '') ?? ''));
  const findings = await judgeBooks(database, books);
  const found = findings.filter(({ orderNo }) => !excused(orderNo)).map(({ what }) => what);
  return [
    ...(vendors.loses
      ? await notNoticed(
          world,
          findings.flatMap(({ orderNo, what }) => (what.startsWith('order ') ? [orderNo] : [])),
        )
      : found),
    ...(await diners.judge(database)),
    ...books.complaints
      .filter(
        (complaint) =>
          !isOfReorder(complaint, diners) && !adopted.some((id) => complaint.endsWith(`foreign-meal ${id}`)),
      )
      .map((complaint) => `a vendor complains: ${complaint}`),
    ...(await judgeEvents(database)),
    ...[...named.entries()].flatMap(([no, code]) =>
      FINAL.some((pattern) => pattern.test(code)) || code.startsWith(POISON)
        ? []
        : [`${code} of ${no} stays errored though the vendors work`],
    ),
    ...(world.zombieWrites > 0 ? [`${world.zombieWrites} writes by workers that had lost their lease`] : []),
    ...world.ranAfterEnd,
    ...givenUpTooSoon(world, circumstances),
    ...(await doubtsUntold(world)),
    ...(await poisoned(world)),
    ...(await bugs(world)),
  ];
}

/** A meal that nobody eats and nobody can stop, or a record that the vendor refused: a person has said so, and it is kept. */
async function acceptedLosses({ database }: World): Promise<Set<string>> {
  const rows = await database.query<{ no: string }>(sql`
    SELECT b.order_no AS no FROM order_step s JOIN box_order b ON b.id = s.order_id WHERE s.kind = 'meal-loss-accepted'`);
  return new Set(rows.map(({ no }) => no));
}

/** Meals that an order of ours owns, or owned: also such as another channel had placed for this very diner, meal and dish. */
async function adoptedMeals({ database }: World): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    sql`SELECT meican_order_id AS id FROM box_order WHERE meican_order_id IS NOT NULL`,
  );
  return rows.map(({ id }) => id);
}

/** Meican takes no number of ours: whoever orders again after a cancel may meet the meal that is still being cancelled. */
function isOfReorder(complaint: string, diners: Diners): boolean {
  return (
    /: (repeat-of-known-meal|blind-repeat) /.test(complaint) &&
    diners.all.some(({ email, wishes }) => wishes.length > 1 && complaint.includes(`|${email}|`))
  );
}

/** Where vendors say "done" and do nothing, the comparison of the books names every order that is wrong. */
async function notNoticed({ database }: World, guilty: readonly (string | null)[]): Promise<string[]> {
  const rows = await database.query<{ subject_no: string | null }>(
    sql`SELECT o.subject_no FROM alert_occurrence o JOIN alert a ON a.id = o.alert_id`,
  );
  const told = new Set(rows.map(({ subject_no }) => subject_no));
  return [...new Set(guilty)]
    .filter((orderNo) => orderNo !== null && !told.has(orderNo))
    .map((orderNo) => `the books of order ${orderNo} differ, and nobody was told`);
}

const QUESTIONS_TOLD = 3;
const QUESTIONS = /list|query|account|find/i;
const isWrite = ({ call }: Exchange): boolean => !QUESTIONS.test(call);
/** A write that failed, unless the whole attempt met an outage: then nothing was heard of the vendor at all. */
const hasFailedDeed = ({ calls }: AttemptSeen): boolean =>
  calls.some(({ exchange }) => isWrite(exchange) && exchange.outcome !== 'applied') &&
  calls.some(({ wasOut }) => !wasOut);
/** An attempt that began before the cut-off may end behind it. */
const ATTEMPT_MS = 10_000;

/** Only failed deeds count: a question without an answer is nobody's failure, nor is a call to a vendor that answers everything like that. */
function givenUpTooSoon(world: World, { failuresMax, cutoffAtMs }: Circumstances): string[] {
  const found: string[] = [];
  const since = new Map<string, AttemptSeen[]>();
  for (const attempt of world.attempts) {
    const row = [...(since.get(attempt.eventId) ?? []), attempt];
    since.set(attempt.eventId, row);
    if (attempt.status !== 'errored') continue;
    since.delete(attempt.eventId); // if it is requeued, it starts afresh
    if (
      attempt.type === POISON ||
      attempt.errorCode === 'cutoff-passed' ||
      attempt.errorCode === 'interrupted'
    )
      continue;
    if (attempt.type.startsWith('MEICAN_') && attempt.atMs + ATTEMPT_MS >= cutoffAtMs) continue; // past its cut-off an event no longer waits for its vendor: a person has to know
    if (
      attempt.calls.at(-1)?.exchange.outcome === 'rejected' ||
      /^(FOREIGN_ORDER|NO_SUCH_TRADE)$/.test(attempt.errorCode ?? '')
    )
      continue;
    const failed = row.filter(
      (one) => one.status === null || one.errorCode === 'REFUND_FAILED' || hasFailedDeed(one),
    );
    if (failed.length < failuresMax)
      found.push(
        `event ${attempt.eventId} ${attempt.type} was given up (${attempt.errorCode}) after ${failed.length} failed deeds of ${row.length} attempts`,
      );
  }
  return found;
}

/** The third question in a row without a usable answer calls a person. */
async function doubtsUntold(world: World): Promise<string[]> {
  const rows = await world.database.query<{ event_id: unknown }>(
    sql`SELECT o.event_id FROM alert_occurrence o JOIN alert a ON a.id = o.alert_id WHERE a.kind = 'cannot-learn'`,
  );
  const told = new Set(rows.map(({ event_id }) => String(event_id)));
  const inARow = new Map<string, number>();
  for (const attempt of world.attempts) {
    const { calls, status, eventId } = attempt;
    const isVain =
      calls.length > 0 &&
      calls.every(({ exchange, wasOut }) => !isWrite(exchange) && exchange.outcome === 'unknown' && !wasOut);
    if (status === 'pending') inARow.set(eventId, isVain ? (inARow.get(eventId) ?? 0) + 1 : 0);
    if (inARow.get(eventId) === QUESTIONS_TOLD && !told.has(eventId))
      return [`event ${eventId} ${attempt.type} asked ${QUESTIONS_TOLD} times in vain, and nobody was told`];
  }
  return [];
}

async function poisoned({ database }: World): Promise<string[]> {
  const rows = await database.query<{ attempt: number; status: string }>(
    sql`SELECT attempt, status FROM outbox_event WHERE type = ${POISON}`,
  );
  return rows.flatMap(({ attempt, status }) =>
    status === 'errored' && attempt <= POISON_ATTEMPTS_MAX
      ? []
      : [`the event that kills its worker is ${status} after ${attempt} attempts`],
  );
}

async function bugs({ database }: World): Promise<string[]> {
  const rows = await database.query<{ type: string; error_code: string; error_message: string }>(
    sql`SELECT e.type, a.error_code, a.error_message FROM event_attempt a JOIN outbox_event e ON e.id = a.event_id WHERE a.error_code IN (${join(CODES_OF_BUGS)})`,
  );
  // Two orders of one diner that adopt the same meal at once: the unique index lets one have it, the other looks again.
  const real = rows.filter(
    ({ error_message }) => !/UNIQUE constraint failed: box_order.meican_order_id/.test(error_message),
  );
  return [
    ...new Set(real.map(({ type, error_code, error_message }) => `${type}: ${error_code}: ${error_message}`)),
  ];
}
