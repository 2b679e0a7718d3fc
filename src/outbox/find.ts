import { type EntityManager, LessThan } from 'typeorm';
import { EventAttempt } from '../entities/event-attempt.js';
import { type EventStatus, OutboxEvent } from '../entities/outbox-event.js';

export interface EventFilter {
  readonly status?: EventStatus | undefined;
  readonly type?: string | undefined;
  readonly subjectId?: string | undefined;
  /** Only events with a smaller id: the cursor of the page before. */
  readonly beforeId?: string | undefined;
}

/** Newest first. Each filter has an index that ends in the id or is bounded by its subject. */
export async function findEvents(manager: EntityManager, filter: EventFilter, limit: number): Promise<OutboxEvent[]> {
  const { beforeId, ...equal } = filter;
  const where = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  return manager.find(OutboxEvent, { where: { ...where, ...(beforeId ? { id: LessThan(beforeId) } : {}) }, order: { id: 'DESC' }, take: limit });
}

export async function findEvent(manager: EntityManager, id: string): Promise<OutboxEvent | null> {
  return manager.findOneBy(OutboxEvent, { id });
}

/** The event of this type about this subject, newest first when a person caused several. */
export async function findEventOf(manager: EntityManager, type: string, subjectId: string): Promise<OutboxEvent | null> {
  return manager.findOne(OutboxEvent, { where: { type, subjectId }, order: { id: 'DESC' } });
}

/** Oldest first. */
export async function findAttempts(manager: EntityManager, eventId: string): Promise<EventAttempt[]> {
  return manager.find(EventAttempt, { where: { eventId }, order: { number: 'ASC' } });
}
