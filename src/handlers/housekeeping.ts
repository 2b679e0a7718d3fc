import { z } from 'zod';
import type { Database } from '../database/database.js';
import type { EventDefinition, EventHandler } from '../outbox/types.js';
import { type Retention, sweep } from './retention.js';

/** `slot` makes each recurrence an event of its own, once for all schedulers together. */
const payload = z.strictObject({ slot: z.string() });
type Payload = z.infer<typeof payload>;

/** Deletes what is past its retention, in small batches. If it never succeeds, the tables grow. */
export const housekeeping: EventDefinition<Payload> = {
  type: 'HOUSEKEEPING',
  target: 'housekeeping',
  version: 1,
  schema: payload,
  example: { slot: '2026-11-23T10' },
  dedupeKey: ({ slot }) => slot,
  orderingKey: () => 'housekeeping',
};

const DEADLINE_MS = 5 * 60_000;
const RETRY_MS = 5 * 60_000;
/** One attempt works so long, and the next one goes on: a busy day is caught up with within the hour. */
const BUDGET_MS = 60_000;
const GO_ON_MS = 1_000;
/** What is not caught up with by then counts as a failure, and a person hears of it. */
const CATCH_UP_MAX_MS = 50 * 60_000;

export interface HousekeepingDependencies {
  readonly database: Database;
  readonly retention: Retention;
}

export function createHousekeeping({ database, retention }: HousekeepingDependencies): EventHandler<Payload> {
  return {
    definition: housekeeping,
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: CATCH_UP_MAX_MS, retryDelayMs: RETRY_MS },
    async handle(_event, { signal }) {
      const { counts, more } = await sweep(database, retention, BUDGET_MS, signal);
      const note = [...counts].map(([what, rows]) => `${rows} ${what}`).join(', ');
      if (more)
        return {
          kind: 'snooze',
          afterMs: GO_ON_MS,
          outcome: null,
          reason: `there is more to delete after ${note}`,
          sentNothing: true,
        };
      return { kind: 'done', outcome: null, note };
    },
    refuseDiscard: async () => null, // the next hour deletes what this one did not
  };
}
