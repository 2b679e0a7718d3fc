import type { Queryable } from '../database/database.js';
import { EventAttempt } from '../entities/event-attempt.js';
import { OutboxEvent } from '../entities/outbox-event.js';

interface Recurrence {
  readonly lastEventId: string | null;
  readonly lastAt: Date | null;
  readonly lastMs: number | null;
  /** Recorded within 24 hours. */
  readonly recorded: number;
  readonly waiting: number;
}

const LOOK = 200;
const DAY_MS = 86_400_000;

/** The newest end of an event type that is recorded again and again, and how many of its events there are. */
export async function recurrenceOf(queryable: Queryable, type: string): Promise<Recurrence> {
  const { manager } = queryable;
  const events = await manager
    .createQueryBuilder(OutboxEvent, 'event')
    .select(['event.id', 'event.status', 'event.settledAt', 'event.createdAt'])
    .useIndex('outbox_event_type')
    .where('event.type = :type', { type })
    .orderBy('event.id', 'DESC')
    .limit(LOOK)
    .getMany();
  const last = events.find(({ status }) => status !== 'pending');
  const attempt =
    last && (await manager.findOne(EventAttempt, { where: { eventId: last.id }, order: { number: 'DESC' } }));
  const sinceMs = (await queryable.now()).getTime() - DAY_MS;
  return {
    lastEventId: last?.id ?? null,
    lastAt: last?.settledAt ?? null,
    lastMs: attempt?.durationMs ?? null,
    recorded: events.filter(({ createdAt }) => createdAt.getTime() > sinceMs).length,
    waiting: events.filter(({ status }) => status === 'pending').length,
  };
}
