import { z } from 'zod';
import { businessDay } from '../../base/clock.js';
import { type EventFilter, shades } from '../../operate/list.js';
import type { Registry } from '../../outbox/registry.js';

/** The members of a list's address. All of them are text; what cannot be read is left out. */
const text = z.string().max(191).optional().catch(undefined);

const minutes = z.coerce.number().int().min(1).max(525_600).optional().catch(undefined);

const local = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/)
  .refine((value) => !Number.isNaN(Date.parse(`${value}+08:00`)))
  .optional()
  .catch(undefined);

const schema = z.object({
  state: z.enum(shades).optional().catch(undefined),
  type: text,
  target: text,
  cause: text,
  attempts: z.coerce.number().int().min(1).max(100_000).optional().catch(undefined),
  worker: text,
  payload: text,
  /** Asia/Shanghai. */
  from: local,
  to: local,
  dueFrom: local,
  dueTo: local,
  /** Due for more than so many minutes. */
  overdue: minutes,
  /** Settled within so many minutes. */
  settled: minutes,
});

export type EventsQuery = z.output<typeof schema>;

export function parseEventsQuery(given: Record<string, string>): EventsQuery {
  return schema.parse(given);
}

/** The address of the same list. */
export function addressOf(query: EventsQuery, more: Record<string, string | undefined> = {}): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, ...more }))
    if (value !== undefined && value !== '') all.set(name, String(value));
  return `/console/events?${all.toString()}`;
}

export function filterOf(query: EventsQuery, registry: Registry, now: Date): EventFilter {
  const at = (value: string | undefined): Date | undefined =>
    value === undefined ? undefined : new Date(`${value}+08:00`);
  const before = (ago: number | undefined): Date | undefined =>
    ago === undefined ? undefined : new Date(now.getTime() - ago * 60_000);
  const ofTarget = registry
    .all()
    .filter((handler) => handler.definition.target === query.target)
    .map((handler) => handler.definition.type);
  const types = query.target === undefined ? undefined : ofTarget.length > 0 ? ofTarget : [query.target];
  return {
    state: query.state,
    types:
      query.type === undefined
        ? types
        : types === undefined || types.includes(query.type)
          ? [query.type]
          : ['-'],
    cause: query.cause,
    attemptsMin: query.attempts,
    worker: query.worker,
    payload: query.payload,
    createdFrom: at(query.from),
    createdTo: at(query.to),
    dueFrom: at(query.dueFrom),
    dueTo: before(query.overdue) ?? at(query.dueTo),
    settledSince: before(query.settled),
  };
}

/** What everybody needs, without having to build it first. */
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
