import { z } from 'zod';
import { businessDay } from '../../base/clock.js';
import { type EventFilter, eventStates } from '../../operate/filter.js';
import type { Registry } from '../../outbox/registry.js';

/** The query of a list's address. What cannot be read is left out, so that an old link still shows a list. */
const text = z.string().max(191).optional().catch(undefined);

const minutes = z.coerce.number().int().min(1).max(525_600).optional().catch(undefined);

const local = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/)
  .refine((value) => !Number.isNaN(Date.parse(`${value}+08:00`)))
  .optional()
  .catch(undefined);

const schema = z.object({
  state: z.enum(eventStates).optional().catch(undefined),
  type: text,
  target: text,
  cause: text,
  attempts: z.coerce.number().int().min(1).max(100_000).optional().catch(undefined),
  worker: text,
  payload: text,
  /** Times are local, in Asia/Shanghai. */
  from: local,
  to: local,
  dueFrom: local,
  dueTo: local,
  /** Due for more than this many minutes. */
  overdue: minutes,
  /** Settled within this many minutes. */
  settled: minutes,
});

export type EventsQuery = z.output<typeof schema>;

/** No event has this type. */
const NO_TYPE = '-';

export function parseEventsQuery(given: Record<string, string>): EventsQuery {
  return schema.parse(given);
}

/** A filter as it stands in an address, without the question mark. */
export function parseAddress(query: string): EventsQuery {
  return parseEventsQuery(Object.fromEntries(new URLSearchParams(query)));
}

/** The address of the same list. */
export function addressOf(query: EventsQuery, more: Record<string, string | undefined> = {}): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, ...more }))
    if (value !== undefined && value !== '') all.set(name, String(value));
  return `/console/events?${all.toString()}`;
}

export function filterOf(query: EventsQuery, registry: Registry, now: Date): EventFilter {
  const before = (minutes: number | undefined): Date | undefined =>
    minutes === undefined ? undefined : new Date(now.getTime() - minutes * 60_000);
  return {
    state: query.state,
    types: typesOf(query, registry),
    cause: query.cause,
    attemptsMin: query.attempts,
    worker: query.worker,
    payload: query.payload,
    createdFrom: instantOf(query.from),
    createdTo: instantOf(query.to),
    dueFrom: instantOf(query.dueFrom),
    dueTo: before(query.overdue) ?? instantOf(query.dueTo),
    settledSince: before(query.settled),
  };
}

/**
 * The event types of a vendor, narrowed to one type; undefined for all. A type of another vendor finds
 * nothing.
 */
function typesOf({ type, target }: EventsQuery, registry: Registry): string[] | undefined {
  if (target === undefined) return type === undefined ? undefined : [type];
  const ofTarget = registry
    .all()
    .filter(({ definition }) => definition.target === target)
    .map(({ definition }) => definition.type);
  const types = ofTarget.length > 0 ? ofTarget : [target]; // no event has the type of an unknown vendor
  if (type === undefined) return types;
  return [types.includes(type) ? type : NO_TYPE];
}

function instantOf(local: string | undefined): Date | undefined {
  return local === undefined ? undefined : new Date(`${local}+08:00`);
}

/** The views that everybody has without saving them first. */
export function suppliedViews(
  now: Date,
): { name: 'needsAction' | 'unknownOutcomes' | 'failedToday' | 'stuck'; query: EventsQuery }[] {
  const minutesToday = Math.max(
    1,
    Math.ceil((now.getTime() - Date.parse(`${businessDay(now.getTime())}T00:00:00+08:00`)) / 60_000),
  );
  return [
    { name: 'needsAction', query: parseEventsQuery({ state: 'errored' }) },
    { name: 'unknownOutcomes', query: parseEventsQuery({ state: 'unknown' }) },
    { name: 'failedToday', query: parseEventsQuery({ state: 'errored', settled: String(minutesToday) }) },
    { name: 'stuck', query: parseEventsQuery({ state: 'pending', overdue: '5' }) },
  ];
}
