import type { Database } from '../database/database.js';
import { fromSqlInstantOrNull, raw, sql } from '../database/sql.js';
import type { OutboxEvent } from '../entities/outbox-event.js';
import { heartbeats } from '../outbox/heartbeat.js';
import type { Registry } from '../outbox/registry.js';
import { activePauses } from './pause.js';

/** Why an event is where it is. Instants are the database's. */
export type Reason =
  | { readonly code: 'handled' | 'discarded'; readonly at: Date | null }
  /** A person must decide. */
  | {
      readonly code: 'errored';
      readonly at: Date | null;
      readonly unknown: boolean;
      readonly failures: number;
    }
  | { readonly code: 'running'; readonly worker: string; readonly leaseUntil: Date }
  /** Its worker died, or cannot reach the database: somebody else goes on. */
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
      readonly after: 'failure' | 'question' | 'snooze' | 'recorded';
    }
  | { readonly code: 'no-scheduler'; readonly since: Date }
  | { readonly code: 'due'; readonly since: Date };

export interface Why {
  readonly reason: Reason;
  /** When the next thing happens by itself; null: at any moment, or never without a person. */
  readonly nextAt: Date | null;
}

/** The one reason why this event does not move, or is about to: the first that applies, from the strongest to the weakest. */
export async function why(database: Database, registry: Registry, event: OutboxEvent): Promise<Why> {
  const { status } = event;
  if (status === 'handled' || status === 'discarded')
    return { reason: { code: status, at: event.settledAt }, nextAt: null };
  if (status === 'errored')
    return {
      reason: {
        code: 'errored',
        at: event.settledAt,
        unknown: event.outcome === 'unknown',
        failures: event.failures,
      },
      nextAt: null,
    };
  const clock = await database.now();
  if (event.leaseUntil) {
    const code = event.leaseUntil > clock ? 'running' : 'lease-over';
    return {
      reason: { code, worker: event.claimedBy ?? '', leaseUntil: event.leaseUntil },
      nextAt: event.leaseUntil,
    };
  }
  const blocker = event.queueAt === null ? await blockerOf(database, event) : null;
  if (blocker) return { reason: { code: 'blocked', ...blocker }, nextAt: null };
  const paused = (await activePauses(database)).find((one) => one.type === event.type);
  if (paused)
    return {
      reason: {
        code: 'paused',
        name: paused.name,
        until: paused.untilAt,
        actor: paused.actor,
        reason: paused.reason,
      },
      nextAt: paused.untilAt,
    };
  if (!registry.knows(event.type, event.payloadVersion))
    return {
      reason: { code: 'no-handler', type: event.type, version: event.payloadVersion },
      nextAt: event.queueAt,
    };
  const processes = await heartbeats(database);
  const target = registry.find(event.type)?.definition.target ?? '';
  const down = processes
    .filter(({ state }) => state === 'alive')
    .flatMap(({ breakers }) =>
      breakers.filter((breaker) => breaker.target === target && breaker.state !== 'closed'),
    );
  if (down[0])
    return {
      reason: { code: 'vendor-down', target, since: down[0].since ? new Date(down[0].since) : null },
      nextAt: event.queueAt,
    };
  if (event.runAt > clock) {
    const after =
      event.vainQuestions > 0
        ? 'question'
        : event.snoozeSince
          ? 'snooze'
          : event.attempt > 0
            ? 'failure'
            : 'recorded';
    return { reason: { code: 'not-due', until: event.runAt, after }, nextAt: event.runAt };
  }
  if (!processes.some(({ kind, state }) => state === 'alive' && kind !== 'api'))
    return { reason: { code: 'no-scheduler', since: event.runAt }, nextAt: null };
  return { reason: { code: 'due', since: event.runAt }, nextAt: null };
}

async function blockerOf(
  database: Database,
  event: OutboxEvent,
): Promise<{ byId: string; byType: string } | null> {
  const [row] = await database.query<{ id: unknown; type: string; queue_at: unknown }>(sql`
    SELECT id, type, queue_at FROM outbox_event ${raw(database.dialect.useIndex('outbox_event_queued_key'))} WHERE queued_key = ${event.orderingKey} AND status = 'pending' AND id <> ${event.id} ORDER BY id LIMIT 1`);
  return row && fromSqlInstantOrNull(row.queue_at) ? { byId: String(row.id), byType: row.type } : null;
}

/** The same as a sentence in English. `at` writes an instant as its reader wants it. */
export function whySentence({ reason }: Why, at: (instant: Date | null) => string): string {
  switch (reason.code) {
    case 'handled':
      return `It was handled at ${at(reason.at)}. Nothing more will happen.`;
    case 'discarded':
      return `It was discarded by a person at ${at(reason.at)}. Nothing more will happen.`;
    case 'errored':
      return `${reason.unknown ? 'Nobody knows whether the vendor did it' : 'It was given up'} after ${reason.failures} failures at ${at(reason.at)}. It waits for a person: ${reason.unknown ? 'ask the vendor, then settle or requeue it' : 'requeue or discard it'}.`;
    case 'running':
      return `It is being carried out by ${reason.worker}, whose lease lasts until ${at(reason.leaseUntil)}.`;
    case 'lease-over':
      return `${reason.worker} held it until ${at(reason.leaseUntil)} and never said how it ended. The next sweep takes it over.`;
    case 'blocked':
      return `It waits behind event ${reason.byId} (${reason.byType}), which has the same key and was recorded first.`;
    case 'paused':
      return `${reason.name} was paused by ${reason.actor} until ${at(reason.until)}: ${reason.reason}. It goes on by itself then.`;
    case 'vendor-down':
      return `${reason.target} is down (it cannot be reached, or answers nothing)${reason.since ? ` since ${at(reason.since)}` : ''}. A canary is sent at least every minute; the others follow it.`;
    case 'no-handler':
      return `No process knows the type ${reason.type} with payload version ${reason.version}. It is left to a newer one.`;
    case 'not-due':
      return `It is not due until ${at(reason.until)} (${reason.after === 'failure' ? 'it failed before, and is repeated then' : reason.after === 'question' ? 'its last question got no usable answer; it asks again then, and counts no failure' : reason.after === 'snooze' ? 'it was put off, which counts no failure' : 'it was recorded for then'}).`;
    case 'no-scheduler':
      return `It has been due since ${at(reason.since)}, and no scheduler is running.`;
    case 'due':
      return `It has been due since ${at(reason.since)}. The next sweep takes it.`;
  }
}
