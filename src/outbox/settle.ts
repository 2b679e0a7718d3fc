import { crashPoint } from '../base/crash-point.js';
import type { Database, Tx } from '../database/database.js';
import type { Exchange } from '../entities/event-attempt.js';
import { alike } from './alike.js';
import { causeOf } from './cause.js';
import { type Transition, VAIN_QUESTIONS_TOLD } from './decide.js';
import { packExchanges } from './exchanges.js';
import { promoteNext, yieldToOlder } from './promote.js';
import { endAttempts, settleEvents } from './statements.js';
import type { ClaimedEvent, EventHandler, Failure } from './types.js';
import { WAKE_AHEAD_MS, wakeAfterCommit } from './wake.js';

export interface Ended {
  readonly event: ClaimedEvent;
  readonly handler: EventHandler;
  readonly transition: Transition;
  /** The handler's own local effects for its outcome. */
  readonly effect: ((tx: Tx) => Promise<void>) | undefined;
  readonly exchanges: readonly Exchange[];
  readonly durationMs: number;
  /** What is left out, because it failed: the event must be settled, and people told, all the same. */
  readonly without: readonly SettleStep[];
  /** What the transaction was at when it failed. */
  readonly progress: { step: SettleStep };
}

/** `event`: the engine's own rows. The others belong to the handler and to the hooks, and may throw. */
type SettleStep = 'event' | 'effect' | 'compensation' | 'alert';

/** Called inside the settling transaction, e.g. to raise an alert that cannot be lost. */
export interface SettleHooks {
  errored?(tx: Tx, event: ClaimedEvent, failure: Failure, cause: string): Promise<void>;
  /** VAIN_QUESTIONS_TOLD questions in a row were in vain. Called once a row; the event goes on asking. */
  askedInVain?(tx: Tx, event: ClaimedEvent, failure: Failure): Promise<void>;
}

/**
 * Writes what follows from an attempt: the event's row, the journal, the handler's effects, the next of its
 * key — together or not at all. Fenced by (id, attempt): false means the lease was lost and nothing was
 * written.
 */
export async function settle(database: Database, hooks: SettleHooks, ended: Ended): Promise<boolean> {
  crashPoint('before-settle');
  const settled = await database.transaction((tx) => settleIn(tx, hooks, [ended]));
  crashPoint('after-settle');
  return settled;
}

/** The same for several attempts, which share statements where they are alike. Throws if a lease was lost. */
export async function settleTogether(
  database: Database,
  hooks: SettleHooks,
  group: readonly Ended[],
): Promise<void> {
  await database.transaction(async (tx) => {
    if (!(await settleIn(tx, hooks, group))) throw new Error('a lease of the group was lost');
  });
}

async function settleIn(tx: Tx, hooks: SettleHooks, group: readonly Ended[]): Promise<boolean> {
  for (const ended of group) ended.progress.step = 'event';
  const sameEvents = ({ event, transition }: Ended): string =>
    JSON.stringify([event.attempt, event.type, transition]);
  for (const same of alike(group, sameEvents))
    if ((await writeEvents(tx, same)) !== same.length) return false;
  const sameAttempts = ({ event, transition: { outcome, decision, failure } }: Ended): string =>
    JSON.stringify([event.attempt, outcome, decision, failure]);
  for (const same of alike(group, sameAttempts)) await writeAttempts(tx, same);
  crashPoint('in-settle');
  const over = group.filter(({ transition }) => transition.status !== 'pending');
  await promoteNext(tx, ...over.map(({ event }) => event.orderingKey));
  for (const ended of group) await follow(tx, hooks, ended);
  return true;
}

/** Returns how many still held their lease. */
async function writeEvents(tx: Tx, same: readonly Ended[]): Promise<number> {
  const [{ event, transition }] = same as [Ended];
  const ids = same.map((ended) => ended.event.id);
  return (await tx.execute(settleEvents(ids, event, transition))).affected;
}

async function writeAttempts(tx: Tx, same: readonly Ended[]): Promise<void> {
  const [{ event, transition }] = same as [Ended];
  const ends = same.map((ended) => ({
    eventId: ended.event.id,
    durationMs: Math.round(ended.durationMs),
    exchanges: packExchanges(ended.exchanges),
  }));
  await tx.execute(endAttempts(ends, event.attempt, transition));
}

/** What follows from an attempt: a place behind an older event, its effects, the compensation, the alert. */
async function follow(tx: Tx, hooks: SettleHooks, ended: Ended): Promise<void> {
  const { event, handler, transition } = ended;
  if (transition.status === 'pending') {
    await yieldToOlder(tx, event);
    // So that a poller sets its clock for it.
    if ((transition.runInMs ?? 0) <= WAKE_AHEAD_MS) wakeAfterCommit(tx);
  }
  const at = async (step: SettleStep, work: () => Promise<void> | undefined): Promise<void> => {
    if (ended.without.includes(step)) return;
    ended.progress.step = step;
    await work();
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
