import { type AlertGroup, loadGroup } from '../../alerts/group.js';
import type { Database } from '../../database/database.js';
import { Alert } from '../../entities/alert.js';
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

async function groupOfCause(database: Database, groupKey: string): Promise<AlertGroup | null> {
  const alert = await database.manager.findOne(Alert, { select: { id: true }, where: { groupKey } });
  return alert && loadGroup(database, alert.id);
}

/** Whether an event that is not there was there once: ids are given in order, and old events are deleted. */
export async function wasThere(database: Database, id: string): Promise<boolean> {
  const newest = { select: { id: true }, order: { id: 'DESC' }, take: 1 } as const;
  const [event] = await database.manager.find(OutboxEvent, newest);
  return BigInt(id) <= BigInt(event?.id ?? 0);
}
