import type { Database, Tx } from '../database/database.js';
import type { CanteenConsumption } from '../entities/canteen-consumption.js';
import type { CoffeeTrade } from '../entities/coffee-trade.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import type { EventDefinition } from '../outbox/types.js';
import { type EventView, eventView } from './view.js';

/**
 * A coffee machine's trade or a till's record: one row, and one event that settles it at the energy center.
 */
export interface HandedIn {
  readonly entity: typeof CoffeeTrade | typeof CanteenConsumption;
  readonly rowId: string;
  /** The other system's number. */
  readonly number: string;
  readonly requestId: string;
  readonly traceparent: string | null;
}

/**
 * Records the event of a row that this transaction has inserted, and names it in the row. The request carries
 * it out, so no scheduler is woken.
 */
export async function recordEventOf<P>(
  tx: Tx,
  { entity, rowId, number, requestId, traceparent }: HandedIn,
  definition: EventDefinition<P>,
  payload: P,
): Promise<OutboxEvent> {
  const about = { subjectNo: number, requestId, traceparent, wake: false };
  const { id } = await record(tx, definition, payload, about);
  await tx.manager.update(entity, { id: rowId }, { eventId: id });
  return tx.manager.findOneByOrFail(OutboxEvent, { id });
}

/** Empty when the event is past its retention. */
export async function readEventOf(
  database: Database,
  outbox: Outbox,
  { eventId }: { readonly eventId: string },
): Promise<EventView[]> {
  const event = await database.manager.findOneBy(OutboxEvent, { id: eventId });
  return event ? [viewOf(outbox, event)] : [];
}

export function viewOf(outbox: Outbox, event: OutboxEvent): EventView {
  return eventView(event, outbox.failuresMax(event.type));
}
