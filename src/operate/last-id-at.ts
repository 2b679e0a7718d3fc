import { MoreThanOrEqual } from 'typeorm';
import type { Database } from '../database/database.js';
import { OutboxEvent } from '../entities/outbox-event.js';

/** The last id that was recorded until then. Ids grow with time, so that a few look-ups by primary key find it. */
export async function lastIdAt(database: Database, instant: Date): Promise<string> {
  let low = await idAtEnd(database, 'ASC');
  let high = await idAtEnd(database, 'DESC');
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const event = await database.manager.findOne(OutboxEvent, {
      select: { id: true, createdAt: true },
      where: { id: MoreThanOrEqual(String(middle)) },
      order: { id: 'ASC' },
    });
    if (event && event.createdAt <= instant) low = BigInt(event.id);
    else high = middle - 1n;
  }
  return String(low);
}

/** The first id, or the last; 0 when there is no event. */
async function idAtEnd({ manager }: Database, order: 'ASC' | 'DESC'): Promise<bigint> {
  const [event] = await manager.find(OutboxEvent, { select: { id: true }, order: { id: order }, take: 1 });
  return BigInt(event?.id ?? 0);
}
