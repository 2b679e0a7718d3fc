import { crashPoint } from '../crash-point.js';
import type { Database, Tx } from '../database/database.js';
import { after, now, sql } from '../database/sql.js';
import { cutCharacters } from '../text.js';
import { causeOf } from './cause.js';
import type { Transition } from './decide.js';
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
}

/** Told inside the settling transaction, e.g. to raise an alert that cannot be lost. */
export interface SettleHooks {
  errored?(tx: Tx, event: ClaimedEvent, failure: Failure, cause: string): Promise<void>;
}

/**
 * Writes what follows from one attempt: the event's row, the journal, the handler's effects, the next of its key — together or
 * not at all. Fenced by (id, attempt): false means the lease was lost and nothing was written.
 */
export async function settle(database: Database, hooks: SettleHooks, ended: Ended): Promise<boolean> {
  crashPoint('before-settle');
  const settled = await database.transaction(async (tx) => {
    if (!(await writeEvent(tx, ended))) return false;
    await writeAttempt(tx, ended);
    crashPoint('in-settle');
    const { event, handler, transition } = ended;
    if (transition.status !== 'pending') await promoteNext(tx, event.orderingKey);
    else {
      await yieldToOlder(tx, event);
      if ((transition.runInMs ?? 0) <= WAKE_AHEAD_MS) wakeAfterCommit(tx); // so that a poller sets its clock for it
    }
    await ended.effect?.(tx);
    if (transition.status === 'errored' && transition.failure) {
      await handler.onErrored?.(tx, event, transition.failure);
      await hooks.errored?.(tx, event, transition.failure, causeOf(event.type, transition.failure));
    }
    return true;
  });
  crashPoint('after-settle');
  return settled;
}

async function writeEvent(tx: Tx, { event, transition }: Ended): Promise<boolean> {
  const { failure, outcome } = transition;
  const runAt = transition.runInMs === null ? null : after(transition.runInMs);
  const settledAt = transition.status === 'pending' ? null : now;
  const { affected } = await tx.execute(sql`
    UPDATE outbox_event SET status = ${transition.status}, failures = ${transition.failures}, interruptions = ${transition.interruptions},
      run_at = ${runAt === null ? sql`run_at` : runAt}, queue_at = ${runAt}, lease_until = NULL, claimed_by = NULL,
      snooze_since = ${transition.snoozing ? sql`COALESCE(snooze_since, ${now})` : null},
      unknown_at = ${transition.newDoubt ? now : sql`unknown_at`},
      outcome = ${outcome}, last_error_code = ${failure?.code ?? null}, last_error_message = ${failure ? cutCharacters(failure.message, MESSAGE_MAX) : null},
      cause = ${transition.status === 'errored' && failure ? causeOf(event.type, failure) : sql`cause`}, settled_at = ${settledAt}
    WHERE id = ${event.id} AND attempt = ${event.attempt} AND status = 'pending' AND lease_until IS NOT NULL`);
  return affected === 1;
}

async function writeAttempt(tx: Tx, { event, transition, exchanges, durationMs }: Ended): Promise<void> {
  const { failure } = transition;
  await tx.execute(sql`
    UPDATE event_attempt SET finished_at = ${now}, duration_ms = ${Math.round(durationMs)}, outcome = ${transition.outcome}, decision = ${cutCharacters(transition.decision, DECISION_MAX)},
      error_code = ${failure?.code ?? null}, error_message = ${failure ? cutCharacters(failure.message, MESSAGE_MAX) : null}, exchanges = ${packExchanges(exchanges)}
    WHERE event_id = ${event.id} AND number = ${event.attempt}`);
}

/** Lets the oldest pending event of the key into the queue. Called by whoever settles, requeues or discards one of them. */
export async function promoteNext(tx: Tx, orderingKey: string | null): Promise<void> {
  if (orderingKey === null) return;
  const [next] = await tx.query<{ id: number | string; queue_at: unknown }>(sql`
    SELECT id, queue_at FROM outbox_event WHERE ordering_key = ${orderingKey} AND status = 'pending' ORDER BY id LIMIT 1`);
  if (next && next.queue_at === null) {
    wakeAfterCommit(tx);
    await tx.execute(sql`UPDATE outbox_event SET queue_at = run_at WHERE id = ${String(next.id)} AND status = 'pending' AND queue_at IS NULL`);
  }
}

/** An older event of the key was requeued while this one ran: it goes first, now that this one has to wait. */
async function yieldToOlder(tx: Tx, event: ClaimedEvent): Promise<void> {
  if (event.orderingKey === null) return;
  const older = await tx.query(sql`SELECT id FROM outbox_event WHERE ordering_key = ${event.orderingKey} AND status = 'pending' AND id < ${event.id} LIMIT 1`);
  if (older.length === 0) return;
  await tx.execute(sql`UPDATE outbox_event SET queue_at = NULL WHERE id = ${event.id}`);
  await promoteNext(tx, event.orderingKey);
}
