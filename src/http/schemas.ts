import { z } from 'zod';
import { isPersonId } from '../base/caller.js';
import { day, id, shortText } from '../base/fields.js';
import { fulfilmentStates, orderStatuses, refundStates } from '../entities/box-order.js';
import { mealTypes } from '../entities/menu.js';
import { eventStatuses, vendorOutcomes } from '../entities/outbox-event.js';

export { day, id, reason, shortText } from '../base/fields.js';

/** The id in a path. A text that is no id names nothing: 404, as for an id that is not there. */
export const pathId = z.string().transform((value) => (id.safeParse(value).success ? value : '0'));
/** An amount or a price: whole and above zero. */
export const cents = z.number().int().min(1).max(100_000_000);
/** The day of a menu that is written: between 2000 and 2100. A menu may be asked for by any day. */
export const menuDay = day.refine(
  (value) => value >= '2000-01-01' && value <= '2100-12-31',
  'a day between 2000 and 2100',
);
export const mealType = z.enum(mealTypes);
/** RFC 3339, between 2000 and 2100. */
export const instant = z.iso
  .datetime({ offset: true })
  .max(40, { abort: true })
  .refine((value) => {
    const year = new Date(value).getUTCFullYear();
    return year >= 2000 && year < 2100;
  }, 'an instant between 2000 and 2100');
export const email = z.string().max(254, { abort: true }).pipe(z.email());
export const userId = shortText(128).refine(isPersonId, 'printable characters only');
export const page = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
};

export const orderSchema = z
  .object({
    id,
    orderNo: z.string(),
    userId: z.string(),
    garden: z.string(),
    corp: z.string(),
    status: z.enum(orderStatuses),
    dishId: id,
    dishName: z.string(),
    sideboardId: id,
    addressId: z.string(),
    edibleDate: z.string(),
    mealType,
    priceInCent: z.number().int(),
    meicanOrderId: z.string().nullable(),
    operator: z.string().nullable(),
    refund: z.enum(refundStates),
    fulfilment: z.enum(fulfilmentStates),
    grantedInCent: z.number().int(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Order' });

export const eventSchema = z
  .object({
    id,
    type: z.string(),
    status: z.enum(eventStatuses),
    orderId: z.string().nullable(),
    orderNo: z.string().nullable(),
    attempt: z.number().int(),
    failures: z.number().int(),
    failuresMax: z.number().int(),
    runAt: z.string(),
    leaseUntil: z.string().nullable(),
    outcome: z.enum(vendorOutcomes).nullable(),
    lastError: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: z.string(),
    settledAt: z.string().nullable(),
  })
  .meta({ id: 'Event' });

const headers = z.record(z.string(), z.string()).optional();
const exchange = z
  .object({ method: z.string(), path: z.string(), headers, body: z.string().nullable() })
  .nullable();
const answered = z
  .object({ status: z.number().int().nullable(), headers, body: z.string().nullable() })
  .nullable();

const exchangeSchema = z.object({
  call: z.string(),
  at: z.string(),
  durationMs: z.number(),
  request: exchange,
  answer: answered,
  outcome: z.string(),
  code: z.string().nullable(),
});

const attemptSchema = z.object({
  number: z.number().int(),
  trigger: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  worker: z.string(),
  outcome: z.enum(vendorOutcomes).nullable(),
  decision: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** The last call of the attempt. */
  request: exchange,
  answer: answered,
  /** Every call of the attempt, in order. */
  exchanges: z.array(exchangeSchema),
});

/** What the vendor's books say of an event, and the calls that asked. */
export const askedSchema = z.object({
  outcome: z.enum(vendorOutcomes),
  text: z.string(),
  exchanges: z.array(exchangeSchema),
});

export const eventWithAttemptsSchema = eventSchema.extend({ attempts: z.array(attemptSchema) });

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), nextCursor: z.string().nullable() });
