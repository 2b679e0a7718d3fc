import type { EventStatus } from '../entities/outbox-event.js';

/** The statuses, and finer parts of them: `running`, `retrying` and `blocked` are pending, `unknown` is errored. */
export const eventStates = [
  'pending',
  'running',
  'retrying',
  'blocked',
  'errored',
  'unknown',
  'handled',
  'discarded',
] as const;
export type EventState = (typeof eventStates)[number];

export interface EventFilter {
  readonly state?: EventState | undefined;
  /** Any of these types. */
  readonly types?: readonly string[] | undefined;
  readonly cause?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly attemptsMin?: number | undefined;
  /** The process that ran it last. */
  readonly worker?: string | undefined;
  readonly createdFrom?: Date | undefined;
  readonly createdTo?: Date | undefined;
  /** When it is, or was, due. */
  readonly dueFrom?: Date | undefined;
  readonly dueTo?: Date | undefined;
  readonly settledSince?: Date | undefined;
  /** A part of the stored payload. */
  readonly payload?: string | undefined;
}

const statusOfState: Record<EventState, EventStatus> = {
  pending: 'pending',
  running: 'pending',
  retrying: 'pending',
  blocked: 'pending',
  errored: 'errored',
  unknown: 'errored',
  handled: 'handled',
  discarded: 'discarded',
};

export function statusOf({ state }: EventFilter): EventStatus | undefined {
  return state && statusOfState[state];
}

/** Settled events alone are listed by the instant at which they were settled; every other list is by id. */
export function isBySettled(filter: EventFilter): boolean {
  const status = statusOf(filter);
  return (
    status !== undefined &&
    status !== 'pending' &&
    filter.cause === undefined &&
    filter.subjectId === undefined
  );
}
