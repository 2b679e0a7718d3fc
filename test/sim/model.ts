import { join, sql } from '../../src/database/sql.js';
import { disagreements } from '../support/books.js';
import type { World } from './world.js';

/** The least that a diner may believe: what the last trustworthy answer promised. */
export interface Diner {
  readonly sub: string;
  readonly wantsCancel: boolean;
  orderId: string | null;
  told: 'nothing' | 'ordered' | 'cancelled';
  busy: boolean;
}

/** An event whose handler kills its process, every time. */
export const POISON = 'SIM_POISON';
/** A worker that has just claimed it may also die by chance. */
const POISON_ATTEMPTS_MAX = 20;
const codesOfBugs = ['handler-threw', 'effect-failed', 'order-gone'];

/**
 * The reference: whatever the implementation did in between, at rest these hold. One sentence for each that does not.
 * The books agree with the vendors'; nobody was told what is not so; no event was recorded, run or settled twice;
 * what is errored has its alert; the comparison of the books raised none, where no event was ever errored.
 */
export async function judge(world: World, diners: readonly Diner[]): Promise<string[]> {
  return [
    ...(await disagreements(world.database, world.ledger.books)),
    ...(await whatDinersWereTold(world, diners)),
    ...whatVendorsDid(world),
    ...(await whatEventsDid(world)),
    ...(await whatPeopleWereTold(world)),
  ];
}

async function whatDinersWereTold(world: World, diners: readonly Diner[]): Promise<string[]> {
  const found: string[] = [];
  for (const diner of diners) {
    if (diner.told === 'nothing' || diner.orderId === null) continue;
    const [row] = await world.database.query<{ status: string }>(sql`SELECT status FROM box_order WHERE id = ${diner.orderId}`);
    const allowed = diner.told === 'cancelled' ? ['USER_CANCEL'] : ['ORDERED', 'ORDER_ERROR', 'USER_CANCEL'];
    if (!allowed.includes(row?.status ?? '')) found.push(`${diner.sub} was told ${diner.told}; the order is ${row?.status ?? 'gone'}`);
  }
  return found;
}

function whatVendorsDid(world: World): string[] {
  const found: string[] = [];
  const { trades, meicanOrders } = world.ledger.books;
  for (const trade of trades) if (trade.refundedAmount > trade.amount) found.push(`payment ${trade.outTradeNo} was refunded more than once`);
  const perDiner = new Map<string, number>();
  for (const meal of meicanOrders) if (!meal.cancelled) perDiner.set(meal.email, (perDiner.get(meal.email) ?? 0) + 1);
  for (const [email, meals] of perDiner) if (meals > 1) found.push(`Meican cooks ${meals} meals for ${email}`);
  return found;
}

async function whatEventsDid(world: World): Promise<string[]> {
  const found: string[] = [];
  if (world.zombieWrites > 0) found.push(`${world.zombieWrites} writes by workers that had lost their lease`);
  const twice = await world.database.query<{ type: string; n: number }>(
    sql`SELECT type, COUNT(*) AS n FROM outbox_event WHERE type <> 'WECOM_ALERT' GROUP BY type, payload HAVING COUNT(*) > 1`,
  );
  for (const { type, n } of twice) found.push(`one ${type} was recorded ${n} times`);
  const overtaken = await world.database.query<{ event_id: unknown; number: number }>(sql`
    SELECT a.event_id, a.number FROM event_attempt a JOIN event_attempt b ON b.event_id = a.event_id AND b.number = a.number + 1
    WHERE a.finished_at IS NULL OR a.finished_at > b.started_at`);
  for (const { event_id, number } of overtaken) found.push(`event ${String(event_id)} was run again while its attempt ${number} was under way`);
  for (const id of world.ranAfterHandled) found.push(`event ${id} was run again after it had been handled`);
  const poison = await world.database.query<{ attempt: number; status: string }>(sql`SELECT attempt, status FROM outbox_event WHERE type = ${POISON}`);
  for (const { attempt, status } of poison)
    if (status !== 'errored' || attempt > POISON_ATTEMPTS_MAX) found.push(`the event that kills its worker is ${status} after ${attempt} attempts`);
  return found;
}

async function whatPeopleWereTold(world: World): Promise<string[]> {
  const silent = await world.database.query<{ id: unknown; type: string }>(sql`
    SELECT e.id, e.type FROM outbox_event e WHERE e.status = 'errored' AND NOT EXISTS (SELECT 1 FROM alert_occurrence o WHERE o.event_id = e.id)`);
  const bugs = await world.database.query<{ type: string; last_error_code: string; last_error_message: string }>(
    sql`SELECT type, last_error_code, last_error_message FROM outbox_event WHERE status = 'errored' AND last_error_code IN (${join(codesOfBugs)})`,
  );
  const drift = await world.database.query<{ cause: string }>(
    sql`SELECT cause FROM alert WHERE kind = 'drift' AND NOT EXISTS (SELECT 1 FROM alert e WHERE e.kind IN ('errored', 'unknown'))`,
  );
  return [
    ...silent.map(({ id, type }) => `event ${String(id)} ${type} is errored and nobody was told`),
    ...bugs.map(({ type, last_error_code, last_error_message }) => `${type} errored: ${last_error_code}: ${last_error_message}`),
    ...drift.map(({ cause }) => `the comparison of the books found: ${cause}`),
  ];
}
