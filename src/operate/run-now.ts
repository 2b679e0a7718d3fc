import { businessDay } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { record } from '../outbox/record.js';
import type { EventDefinition } from '../outbox/types.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import { audit, type Signature } from './audit.js';

export const runNowNames = ['sweep', 'books', 'housekeeping'] as const;
export type RunNowName = (typeof runNowNames)[number];

/** The events that recur; whoever wires the program gives them. */
export interface RecurringEvents {
  readonly books: EventDefinition<{ day: string; slot: string }>;
  readonly housekeeping: EventDefinition<{ slot: string }>;
}

const DAY_MS = 86_400_000;
/** The books are compared for yesterday, today and tomorrow. */
const BOOKS_DAYS = [-1, 0, 1];

/** Records the events of a schedule before their time and wakes the schedulers; two clicks within a second are one. Audited. */
export async function runNow(
  database: Database,
  recurring: RecurringEvents,
  name: RunNowName,
  by: Signature,
): Promise<void> {
  const nowMs = (await database.now()).getTime();
  const slot = `now-${new Date(nowMs).toISOString().slice(0, 19)}`;
  await database.transaction(async (tx) => {
    if (name === 'books')
      for (const days of BOOKS_DAYS)
        await record(tx, recurring.books, { day: businessDay(nowMs + days * DAY_MS), slot });
    if (name === 'housekeeping') await record(tx, recurring.housekeeping, { slot });
    await audit(tx, by, {
      verb: 'run-now',
      targetType: 'schedule',
      targetId: name,
      subjectId: null,
      before: {},
      after: { slot },
    });
    wakeAfterCommit(tx);
  });
}
