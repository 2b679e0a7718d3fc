import { join, type Sql, sql } from '../database/sql.js';
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

const stateOf: Record<EventState, { readonly status: EventStatus; readonly and?: Sql }> = {
  pending: { status: 'pending' },
  running: { status: 'pending', and: sql`lease_until IS NOT NULL` },
  retrying: { status: 'pending', and: sql`failures > 0` },
  blocked: { status: 'pending', and: sql`queue_at IS NULL` },
  errored: { status: 'errored' },
  unknown: { status: 'errored', and: sql`outcome = 'unknown'` },
  handled: { status: 'handled' },
  discarded: { status: 'discarded' },
};

export function statusOf({ state }: EventFilter): EventStatus | undefined {
  return state && stateOf[state].status;
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

/** The conditions that no index serves. */
export function conditionsWithoutIndex(filter: EventFilter): Sql[] {
  const { state, settledSince, attemptsMin, worker, createdFrom, createdTo, dueFrom, dueTo, payload, types } =
    filter;
  const part = state && stateOf[state].and;
  const typesWithoutIndex = filter.subjectId !== undefined || filter.cause !== undefined ? types : undefined;
  return [
    ...(part ? [part] : []),
    ...(settledSince && !isBySettled(filter) ? [sql`settled_at > ${settledSince}`] : []),
    ...(attemptsMin === undefined ? [] : [sql`attempt >= ${attemptsMin}`]),
    ...(worker === undefined ? [] : [sql`claimed_by = ${worker}`]),
    ...(createdFrom ? [sql`created_at >= ${createdFrom}`] : []),
    ...(createdTo ? [sql`created_at <= ${createdTo}`] : []),
    ...(dueFrom ? [sql`run_at >= ${dueFrom}`] : []),
    ...(dueTo ? [sql`run_at <= ${dueTo}`] : []),
    ...(payload === undefined ? [] : [sql`INSTR(payload, ${payload}) > 0`]),
    ...(typesWithoutIndex ? [sql`type IN (${join(typesWithoutIndex)})`] : []),
  ];
}
