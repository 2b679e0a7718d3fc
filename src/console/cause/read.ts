import { loadGroup } from '../../alerts/group.js';
import type { Database } from '../../database/database.js';
import { findAttempts } from '../../operate/find.js';
import { countEvents } from '../../operate/list.js';
import { unpackExchanges } from '../../outbox/exchanges.js';
import { occurrencesOf } from './occurrences.js';
import type { CauseView } from './page.js';

/** All that the page of a cause shows; null when there is no such group. */
export async function readCause(reading: Database, id: string): Promise<CauseView | null> {
  const group = await loadGroup(reading, id);
  if (!group) return null;
  const [occurrences, errored, now] = await Promise.all([
    occurrencesOf(reading, group.id),
    countEvents(reading, { state: 'errored', cause: group.groupKey }),
    reading.now(),
  ]);
  const newestId = occurrences.find(({ eventId }) => eventId !== null)?.eventId ?? null;
  const sample = newestId === null ? null : await sampleOf(reading, newestId);
  return { group, occurrences, errored, sample, now };
}

/** The calls of the last attempt of an event. */
async function sampleOf(reading: Database, eventId: string): Promise<CauseView['sample']> {
  const last = (await findAttempts(reading.manager, eventId)).at(-1);
  return last ? { eventId, number: last.number, exchanges: unpackExchanges(last.exchanges) } : null;
}
