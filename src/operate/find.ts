import type { EntityManager } from 'typeorm';
import { EventAttempt } from '../entities/event-attempt.js';
import { OutboxEvent } from '../entities/outbox-event.js';

export async function findEvent(manager: EntityManager, id: string): Promise<OutboxEvent | null> {
  return manager.findOneBy(OutboxEvent, { id });
}

/** The event of this type about this subject; the newest, when a person caused several. */
export async function findEventOf(
  manager: EntityManager,
  type: string,
  subjectId: string,
): Promise<OutboxEvent | null> {
  return manager.findOne(OutboxEvent, { where: { type, subjectId }, order: { id: 'DESC' } });
}

/** Oldest first. */
export async function findAttempts(manager: EntityManager, eventId: string): Promise<EventAttempt[]> {
  return manager.find(EventAttempt, { where: { eventId }, order: { number: 'ASC' } });
}
