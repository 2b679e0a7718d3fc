import type { Database } from '../database/database.js';
import { fromSqlInstantOrNull } from '../database/sql.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import type { Registry } from '../outbox/registry.js';
import { heartbeats } from './health.js';
import { activePauses } from './pause.js';
import { aheadOf } from './statements.js';

type NotDueAfter = 'failure' | 'question' | 'snooze' | 'recorded';

/** Why an event is where it is. Instants are the database's. */
type Reason =
  | { readonly code: 'handled' | 'discarded'; readonly at: Date | null }
  /** A person must decide. */
  | {
      readonly code: 'errored';
      readonly at: Date | null;
      readonly unknown: boolean;
      readonly failures: number;
    }
  | { readonly code: 'running'; readonly worker: string; readonly leaseUntil: Date }
  /** Its worker died, or cannot reach the database: another process takes it over. */
  | { readonly code: 'lease-over'; readonly worker: string; readonly leaseUntil: Date }
  | { readonly code: 'blocked'; readonly byId: string; readonly byType: string }
  | {
      readonly code: 'paused';
      readonly name: string;
      readonly until: Date;
      readonly actor: string;
      readonly reason: string;
    }
  | { readonly code: 'vendor-down'; readonly target: string; readonly since: Date | null }
  /** No process here knows this type, or this version of its payload. */
  | { readonly code: 'no-handler'; readonly type: string; readonly version: number }
  | {
      readonly code: 'not-due';
      readonly until: Date;
      readonly after: NotDueAfter;
    }
  | { readonly code: 'no-scheduler'; readonly since: Date }
  | { readonly code: 'due'; readonly since: Date };

export interface Why {
  readonly reason: Reason;
  /** When something happens next without a person; null: at any moment, or never. */
  readonly nextAt: Date | null;
}

/** The one reason why this event does not move, or is about to: of all that apply the strongest. */
export async function why(database: Database, registry: Registry, event: OutboxEvent): Promise<Why> {
  const ended = whyEnded(event);
  if (ended) return ended;
  const clock = await database.now();
  if (event.leaseUntil) {
    const code = event.leaseUntil > clock ? 'running' : 'lease-over';
    const { claimedBy, leaseUntil } = event;
    return { reason: { code, worker: claimedBy ?? '', leaseUntil }, nextAt: leaseUntil };
  }
  return (
    (await whyBlocked(database, event)) ??
    (await whyPaused(database, event)) ??
    whyUnknown(registry, event) ??
    whyWaiting(await heartbeats(database), registry, event, clock)
  );
}

function whyEnded({ status, settledAt: at, outcome, failures }: OutboxEvent): Why | null {
  if (status === 'handled' || status === 'discarded') return { reason: { code: status, at }, nextAt: null };
  if (status !== 'errored') return null;
  return { reason: { code: 'errored', at, unknown: outcome === 'unknown', failures }, nextAt: null };
}

async function whyBlocked(database: Database, event: OutboxEvent): Promise<Why | null> {
  if (event.queueAt !== null) return null;
  const statement = aheadOf(database.dialect, event.id, event.orderingKey);
  const [row] = await database.query<{ id: unknown; type: string; queue_at: unknown }>(statement);
  if (!row || !fromSqlInstantOrNull(row.queue_at)) return null;
  return { reason: { code: 'blocked', byId: String(row.id), byType: row.type }, nextAt: null };
}

async function whyPaused(database: Database, event: OutboxEvent): Promise<Why | null> {
  const paused = (await activePauses(database)).find(({ type }) => type === event.type);
  if (!paused) return null;
  const { name, untilAt: until, actor, reason } = paused;
  return { reason: { code: 'paused', name, until, actor, reason }, nextAt: until };
}

function whyUnknown(registry: Registry, { type, payloadVersion: version, queueAt }: OutboxEvent): Why | null {
  if (registry.knows(type, version)) return null;
  return { reason: { code: 'no-handler', type, version }, nextAt: queueAt };
}

function whyWaiting(
  processes: Awaited<ReturnType<typeof heartbeats>>,
  registry: Registry,
  event: OutboxEvent,
  clock: Date,
): Why {
  const alive = processes.filter(({ state }) => state === 'alive');
  const target = registry.find(event.type)?.definition.target ?? '';
  const down = alive
    .flatMap(({ breakers }) => breakers)
    .find((breaker) => breaker.target === target && breaker.state !== 'closed');
  if (down) {
    const since = down.since ? new Date(down.since) : null;
    return { reason: { code: 'vendor-down', target, since }, nextAt: event.queueAt };
  }
  if (event.runAt > clock)
    return { reason: { code: 'not-due', until: event.runAt, after: waitsAfter(event) }, nextAt: event.runAt };
  const code = alive.some(({ kind }) => kind !== 'api') ? 'due' : 'no-scheduler';
  return { reason: { code, since: event.runAt }, nextAt: null };
}

function waitsAfter({ vainQuestions, snoozeSince, attempt }: OutboxEvent): NotDueAfter {
  if (vainQuestions > 0) return 'question';
  if (snoozeSince) return 'snooze';
  return attempt > 0 ? 'failure' : 'recorded';
}
