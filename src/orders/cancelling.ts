import { type Caller, mayReach } from '../base/caller.js';
import { type Clock, carriedOn } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import type { Database, Queryable } from '../database/database.js';
import { entitiesOf } from '../database/entities-of.js';
import { fromSqlInstant } from '../database/sql.js';
import { BoxOrder } from '../entities/box-order.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import type { Attempted, Ticket } from '../http/idempotency.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Locks } from './lock.js';
import { eventsAbout, orderAndClock } from './statements.js';
import { type EventView, eventView, type OrderView, orderView } from './view.js';

/** What all steps of a cancel work with, and what they read. */

export interface CancelDependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly locks: Locks;
  readonly clock: Clock;
  /** How long the request carries out its own events; 0: it leaves them to the schedulers. Milliseconds. */
  readonly inlineBudgetMs: number;
}

export interface CancelRequest {
  readonly attempted: Attempted;
  readonly caller: Caller;
  readonly orderId: string;
  readonly reason: string | null;
  readonly traceparent: string | null;
}

/** One request on its way. */
export interface Cancelling extends CancelDependencies {
  readonly request: CancelRequest;
  readonly ticket: Ticket;
}

export interface CancelBody {
  readonly order: OrderView;
  readonly events: EventView[];
}

/** An order as it was read, and the database's clock since then. */
export interface OrderRead {
  readonly order: BoxOrder;
  now(): Date;
}

/** Throws Problem `not-found` also for an order that the caller may not see. */
export async function readOrder(
  { database, clock }: Pick<Cancelling, 'database' | 'clock'>,
  { caller, orderId }: CancelRequest,
): Promise<OrderRead> {
  const [row] = await database.query<{ now: unknown }>(orderAndClock(orderId));
  const [order] = entitiesOf(database, BoxOrder, row ? [row] : []);
  if (!order || !mayReach(caller, order.userId))
    throw new Problem('not-found', { detail: 'there is no such order' });
  return { order, now: carriedOn(fromSqlInstant(row?.now), clock) };
}

export async function readBody({ database, outbox }: Cancelling, orderId: string): Promise<CancelBody> {
  const order = await database.manager.findOneByOrFail(BoxOrder, { id: orderId });
  return { order: orderView(order), events: await readEvents(database, outbox, orderId) };
}

/** The refund and the cancel at Meican. */
export async function readEvents(
  queryable: Queryable,
  outbox: Outbox,
  orderId: string,
): Promise<EventView[]> {
  const rows = await queryable.query(eventsAbout(orderId, [energyCancel.type, meicanCancel.type]));
  return entitiesOf(queryable, OutboxEvent, rows).map((event) =>
    eventView(event, outbox.failuresMax(event.type)),
  );
}
