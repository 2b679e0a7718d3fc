import { fromSqlInstantOrNull } from '../../database/sql.js';
import { type Heartbeat, heartbeats } from '../../operate/health.js';
import { recurrenceOf } from '../../operate/recurrence.js';
import type { ConsoleContext } from '../context.js';
import { nextRunOf } from '../parts/next-run.js';
import { pendingOfType } from '../statements.js';
import type { Schedule } from './page.js';

/** The cron expressions differ in minute and second alone: both schedules run every hour. */
const HOUR_MS = 3_600_000;
const HOURS_LOOKED_AT = 24;
/** Yesterday, today and tomorrow. */
const DAYS_COMPARED = 3;
/** The page shows "10,000+" beyond it. */
const UNPAID_COUNTED = 10_001;

type Recurrence = Awaited<ReturnType<typeof recurrenceOf>>;

/** Each schedule with its last run and its next. */
export async function readSchedules(context: ConsoleContext, now: Date): Promise<Schedule[]> {
  const { reading } = context;
  const { books, housekeeping } = context.options.recurring;
  const [processes, compared, cleaned, unpaid] = await Promise.all([
    heartbeats(reading),
    recurrenceOf(reading, books.definition.type),
    recurrenceOf(reading, housekeeping.definition.type),
    readUnpaid(context),
  ]);
  const expected = expectedRuns(processes, now);
  return [
    sweepOf(processes, context.options.schedulerCron),
    hourly('books', books.cron, compared, expected - Math.ceil(compared.recorded / DAYS_COMPARED)),
    hourly('housekeeping', housekeeping.cron, cleaned, expected - Math.ceil(cleaned.recorded)),
    unpaid,
  ];
}

/** Runs of the last day that a process could have made: an hour in which no scheduler ran misses none. */
function expectedRuns(processes: readonly Heartbeat[], now: Date): number {
  const starts = processes.filter(({ kind }) => kind !== 'api').map(({ startedAt }) => startedAt.getTime());
  const upSinceMs = Math.min(...starts, now.getTime());
  return Math.min(HOURS_LOOKED_AT, Math.floor((now.getTime() - upSinceMs) / HOUR_MS));
}

function hourly(
  name: 'books' | 'housekeeping',
  cron: string,
  recurrence: Recurrence,
  missed: number,
): Schedule {
  return { name, cron, ...recurrence, nextAt: nextRunOf(cron), missed: Math.max(0, missed) };
}

function sweepOf(processes: readonly Heartbeat[], cron: string): Schedule {
  const alive = processes.filter(({ kind, state }) => kind !== 'api' && state === 'alive');
  const [latest] = alive
    .filter(({ sweptAt }) => sweptAt !== null)
    .sort((a, b) => Number(b.sweptAt) - Number(a.sweptAt));
  return {
    name: 'sweep',
    cron,
    lastAt: latest?.sweptAt ?? null,
    lastMs: latest?.sweepMs ?? null,
    lastEventId: null,
    nextAt: alive.length > 0 ? nextRunOf(cron) : null,
    missed: null,
    waiting: null,
  };
}

/** Orders that wait for their payment: each has an event of its own that ends it. */
async function readUnpaid({ reading, options }: ConsoleContext): Promise<Schedule> {
  const statement = pendingOfType(options.recurring.unpaid.type, UNPAID_COUNTED);
  const [row] = await reading.query<{ queue_at: unknown; n: number | string }>(statement);
  return {
    name: 'unpaid',
    cron: null,
    lastAt: null,
    lastMs: null,
    lastEventId: null,
    nextAt: fromSqlInstantOrNull(row?.queue_at),
    missed: null,
    waiting: Number(row?.n),
  };
}
