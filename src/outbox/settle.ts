import { crashPoint } from '../base/crash-point.js';
import { cutCharacters } from '../base/text.js';
import type { Database, Tx } from '../database/database.js';
import { after, idAmongMany, ids, join, now, raw, type Sql, sql } from '../database/sql.js';
import { causeOf } from './cause.js';
import { type Transition, VAIN_QUESTIONS_TOLD } from './decide.js';
import { packExchanges } from './exchanges.js';
import type { ClaimedEvent, EventHandler, Exchange, Failure } from './types.js';
import { WAKE_AHEAD_MS, wakeAfterCommit } from './wake.js';

/** Characters, as wide as their columns. */
const MESSAGE_MAX = 500;
const DECISION_MAX = 200;

export interface Ended {
  readonly event: ClaimedEvent;
  readonly handler: EventHandler;
  readonly transition: Transition;
  /** The handler's own local effects for its outcome. */
  readonly effect: ((tx: Tx) => Promise<void>) | undefined;
  readonly exchanges: readonly Exchange[];
  readonly durationMs: number;
  /** What is left out, because it failed: the event must be settled, and told, all the same. */
  readonly without: readonly SettleStep[];
  /** What the transaction was at, for whoever must tell why it failed. */
  readonly progress: { step: SettleStep };
}

/** `event`: the engine's own rows. The others belong to the handler and to whoever listens, and may throw. */
export type SettleStep = 'event' | 'effect' | 'compensation' | 'alert';

/** Told inside the settling transaction, e.g. to raise an alert that cannot be lost. */
export interface SettleHooks {
  errored?(tx: Tx, event: ClaimedEvent, failure: Failure, cause: string): Promise<void>;
  /** So many questions in a row got no usable answer that a person should hear of it. Told once a row; the event goes on asking. */
  askedInVain?(tx: Tx, event: ClaimedEvent, failure: Failure): Promise<void>;
}

/**
 * Writes what follows from one attempt: the event's row, the journal, the handler's effects, the next of its key — together or
 * not at all. Fenced by (id, attempt): false means the lease was lost and nothing was written.
 */
export async function settle(database: Database, hooks: SettleHooks, ended: Ended): Promise<boolean> {
  crashPoint('before-settle');
  const settled = await database.transaction((tx) => settleIn(tx, hooks, ended));
  crashPoint('after-settle');
  return settled;
}

/** The same within the caller's transaction. */
async function settleIn(tx: Tx, hooks: SettleHooks, ended: Ended): Promise<boolean> {
  ended.progress.step = 'event';
  if ((await writeEvents(tx, [ended])) !== 1) return false;
  await writeAttempts(tx, [ended]);
  crashPoint('in-settle');
  if (ended.transition.status !== 'pending') await promoteNext(tx, ended.event.orderingKey);
  await follow(tx, hooks, ended);
  return true;
}

/** Several at once, with shared statements where they say the same. Throws NotAll when a lease among them was lost: then nothing may be kept. */
export async function settleTogether(tx: Tx, hooks: SettleHooks, group: readonly Ended[]): Promise<void> {
  for (const alike of buckets(group, ({ event, transition }) =>
    JSON.stringify([event.attempt, event.type, transition]),
  ))
    if ((await writeEvents(tx, alike)) !== alike.length) throw new NotAll();
  for (const alike of buckets(group, ({ event, transition }) =>
    JSON.stringify([event.attempt, transition.outcome, transition.decision, transition.failure]),
  ))
    await writeAttempts(tx, alike);
  crashPoint('in-settle');
  await promoteNextOf(
    tx,
    group.filter(({ transition }) => transition.status !== 'pending').map(({ event }) => event.orderingKey),
  );
  for (const ended of group) await follow(tx, hooks, ended);
}

export class NotAll extends Error {
  override readonly name = 'NotAll';
}

function buckets<T>(group: readonly T[], keyOf: (one: T) => string): T[][] {
  const found = new Map<string, T[]>();
  for (const one of group) {
    const key = keyOf(one);
    const bucket = found.get(key);
    if (bucket) bucket.push(one);
    else found.set(key, [one]);
  }
  return [...found.values()];
}

/** What follows from one event's end: its place behind an older one, the handler's own effects, and, when it is given up, whoever must know. */
async function follow(tx: Tx, hooks: SettleHooks, ended: Ended): Promise<void> {
  const { event, handler, transition } = ended;
  if (transition.status === 'pending') {
    await yieldToOlder(tx, event);
    if ((transition.runInMs ?? 0) <= WAKE_AHEAD_MS) wakeAfterCommit(tx); // so that a poller sets its clock for it
  }
  const at = async (step: SettleStep, work: (() => Promise<void> | undefined) | undefined): Promise<void> => {
    if (ended.without.includes(step)) return;
    ended.progress.step = step;
    await work?.();
  };
  await at('effect', () => ended.effect?.(tx));
  const { failure } = transition;
  if (transition.status === 'errored' && failure) {
    await at('compensation', () => handler.onErrored?.(tx, event, failure));
    await at('alert', () => hooks.errored?.(tx, event, failure, causeOf(event.type, failure)));
  }
  if (failure && callsAPerson(transition)) await at('alert', () => hooks.askedInVain?.(tx, event, failure));
  ended.progress.step = 'event';
}

/** It goes on asking, and a person should hear of it: once in a row of vain questions. */
export function callsAPerson({ status, vainQuestions }: Transition): boolean {
  return status === 'pending' && vainQuestions === VAIN_QUESTIONS_TOLD;
}

/** They have the same attempt, type and transition. Returns how many still held their lease. */
async function writeEvents(tx: Tx, alike: readonly Ended[]): Promise<number> {
  const [{ event, transition }] = alike as [Ended];
  const { failure, outcome } = transition;
  const runAt = transition.runInMs === null ? null : after(transition.runInMs);
  const settledAt = transition.status === 'pending' ? null : now;
  const { affected } = await tx.execute(sql`
    UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET status = ${transition.status}, failures = ${transition.failures}, interruptions = ${transition.interruptions},
      run_at = ${runAt === null ? sql`run_at` : runAt}, queue_at = ${runAt}, lease_until = NULL, claimed_by = NULL,
      snooze_since = ${transition.snoozing ? sql`COALESCE(snooze_since, ${now})` : null},
      vain_questions = ${transition.vainQuestions}, vain_since = ${transition.vainQuestions > 0 ? sql`COALESCE(vain_since, ${now})` : null},
      unknown_at = ${transition.newDoubt ? now : sql`unknown_at`},
      outcome = ${outcome}, last_error_code = ${failure?.code ?? null}, last_error_message = ${failure ? cutCharacters(failure.message, MESSAGE_MAX) : null},
      cause = ${transition.status === 'errored' && failure ? causeOf(event.type, failure) : sql`cause`}, settled_at = ${settledAt}
    WHERE ${idsOf(alike, 'id')} AND attempt = ${event.attempt} AND status = 'pending' AND lease_until IS NOT NULL`);
  return affected;
}

/** They have the same number, outcome, decision and failure. */
async function writeAttempts(tx: Tx, alike: readonly Ended[]): Promise<void> {
  const [{ event, transition }] = alike as [Ended];
  const { failure } = transition;
  // What most of them say is said once.
  const each = (of: (ended: Ended) => string | number | null): Sql => {
    const [most = [], ...others] = buckets(
      alike.map((ended) => ({ id: ended.event.id, value: of(ended) })),
      ({ value }) => String(value),
    ).sort((a, b) => b.length - a.length);
    const usual = most[0]?.value ?? null;
    const cases = others.flat().map(({ id, value }) => sql`WHEN ${idAmongMany(id)} THEN ${value}`);
    return cases.length === 0 ? sql`${usual}` : sql`CASE event_id ${join(cases, ' ')} ELSE ${usual} END`;
  };
  const exchanges = alike.every((ended) => ended.exchanges.length === 0)
    ? sql`${null}`
    : each((ended) => packExchanges(ended.exchanges));
  await tx.execute(sql`
    UPDATE event_attempt SET finished_at = ${now}, duration_ms = ${each((ended) => Math.round(ended.durationMs))}, outcome = ${transition.outcome}, decision = ${cutCharacters(transition.decision, DECISION_MAX)},
      error_code = ${failure?.code ?? null}, error_message = ${failure ? cutCharacters(failure.message, MESSAGE_MAX) : null}, exchanges = ${exchanges}
    WHERE ${idsOf(alike, 'event_id')} AND number = ${event.attempt}`);
}

function idsOf(alike: readonly Ended[], column: 'id' | 'event_id'): Sql {
  return sql`${raw(column)} IN (${ids(alike.map(({ event }) => event.id))})`;
}

/** Lets the oldest pending event of the key into the queue. Called by whoever settles, requeues or discards one of them. */
export async function promoteNext(tx: Tx, orderingKey: string | null): Promise<void> {
  await promoteNextOf(tx, [orderingKey]);
}

/** The same for several keys. Index outbox_event_pending_key holds, for each, the oldest first. */
async function promoteNextOf(tx: Tx, orderingKeys: readonly (string | null)[]): Promise<void> {
  const keys = [...new Set(orderingKeys.filter((key) => key !== null))];
  if (keys.length === 0) return;
  const byKey = raw(tx.dialect.useIndex('outbox_event_pending_key'));
  const oldest = keys.map(
    (key, i) =>
      sql`SELECT * FROM (SELECT id, queue_at FROM outbox_event ${byKey} WHERE pending_key = ${key} ORDER BY id LIMIT 1) AS ${raw(`k${i}`)}`,
  );
  const found = await tx.query<{ id: number | string; queue_at: unknown }>(
    sql`${join(oldest, ' UNION ALL ')}`,
  );
  const next = found.filter(({ queue_at }) => queue_at === null).map(({ id }) => String(id));
  if (next.length === 0) return;
  wakeAfterCommit(tx);
  await tx.execute(
    sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = run_at WHERE id IN (${ids(next)}) AND status = 'pending' AND queue_at IS NULL`,
  );
}

/** An older event of the key was requeued while this one ran: it goes first, now that this one has to wait. */
async function yieldToOlder(tx: Tx, event: ClaimedEvent): Promise<void> {
  if (event.orderingKey === null) return;
  const byKey = raw(tx.dialect.useIndex('outbox_event_pending_key'));
  const older = await tx.query(
    sql`SELECT id FROM outbox_event ${byKey} WHERE pending_key = ${event.orderingKey} AND id < ${event.id} LIMIT 1`,
  );
  if (older.length === 0) return;
  await tx.execute(
    sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET queue_at = NULL WHERE id = ${event.id}`,
  );
  await promoteNext(tx, event.orderingKey);
}
