import { type AlertGroup, loadGroup } from '../../alerts/group.js';
import type { Database } from '../../database/database.js';
import { sql } from '../../database/sql.js';
import { BoxOrder } from '../../entities/box-order.js';
import { OutboxEvent } from '../../entities/outbox-event.js';
import { listActions } from '../../operate/audit.js';
import { discardRefusal } from '../../operate/discard.js';
import { countEvents } from '../../operate/list.js';
import { why } from '../../operate/why.js';
import { readEvent } from '../../orders/event-story.js';
import { orderView } from '../../orders/view.js';
import type { ConsoleContext } from '../context.js';
import type { EventView } from './view.js';

/** All that the page of an event shows; null when there is no such event. */
export async function readEventView(
  { reading, outbox, options: { traceLink, logLink } }: ConsoleContext,
  id: string,
  compare: boolean,
): Promise<EventView | null> {
  const event = await reading.manager.findOneBy(OutboxEvent, { id });
  const story = event && (await readEvent(reading, outbox, id));
  if (!event || !story) return null;
  const order = event.subjectId ? await reading.manager.findOneBy(BoxOrder, { id: event.subjectId }) : null;
  const [reason, notDiscardable, ofCause, acts, now] = await Promise.all([
    why(reading, outbox.registry, event),
    discardRefusal(reading, outbox.registry, event),
    readCauseOf(reading, event),
    listActions(reading, undefined, { type: 'event', id }),
    reading.now(),
  ]);
  return {
    event,
    story,
    why: reason,
    notDiscardable,
    order: order && orderView(order),
    ...ofCause,
    acts: acts.rows,
    handler: outbox.registry.find(event.type),
    compare,
    links: { trace: traceLink, log: logLink },
    now,
  };
}

/** How many errored events share the cause, and the alert group of the cause if it ever rang. */
async function readCauseOf(
  reading: Database,
  { cause }: OutboxEvent,
): Promise<Pick<EventView, 'sameCause' | 'group'>> {
  if (!cause) return { sameCause: 0, group: null };
  const [sameCause, group] = await Promise.all([
    countEvents(reading, { state: 'errored', cause }),
    groupOfCause(reading, cause),
  ]);
  return { sameCause, group };
}

async function groupOfCause(database: Database, cause: string): Promise<AlertGroup | null> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT id FROM alert WHERE group_key = ${cause}`);
  return row ? loadGroup(database, String(row.id)) : null;
}

/** Whether an event that is not there was there once: ids are given in order, and old events are deleted. */
export async function wasThere(database: Database, id: string): Promise<boolean> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT MAX(id) AS id FROM outbox_event`);
  return BigInt(id) <= BigInt(String(row?.id ?? 0));
}
