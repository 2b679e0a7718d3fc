import { z } from 'zod';
import type { EventHandler } from '../outbox/types.js';
import type { HousekeepingDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { sweep } from './retention.js';

/** `slot` makes each hour an event of its own, recorded once by all schedulers together. */
const payload = z.strictObject({ slot: z.string() });
type Payload = z.infer<typeof payload>;

/** Deletes what is past its retention, in small batches. */
export const housekeeping: EventType<Payload> = {
  type: 'HOUSEKEEPING',
  target: 'housekeeping',
  version: 1,
  schema: payload,
  example: { slot: '2026-11-23T10' },
  dedupeKey: ({ slot }) => slot,
  orderingKey: () => 'housekeeping',
  words: {
    zh: {
      name: '清理',
      does: '删除过了保留期的数据，分小批进行。',
      ifNever: '表会一直变大。',
      affects: '没有人。',
    },
    en: {
      name: 'Housekeeping',
      does: 'Deletes what is past its retention, in small batches.',
      ifNever: 'The tables grow.',
      affects: 'Nobody.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'any',
      pending: 'allowed: the next hour deletes what this one did not',
      errored: 'allowed: the next hour deletes what this one did not',
    },
  ],
  createHandler: ({ housekeeping: dependencies }) => createHousekeeping(dependencies),
};

const DEADLINE_MS = 5 * 60_000;
const RETRY_MS = 5 * 60_000;
/**
 * An attempt works this long and the next one goes on, so that a busy day's rows are deleted within the hour.
 */
const BUDGET_MS = 60_000;
const GO_ON_MS = 1_000;
/** Rows that are left after this count as a failure, and a person hears of it. */
const CATCH_UP_MAX_MS = 50 * 60_000;

function createHousekeeping({ database, retention }: HousekeepingDependencies): EventHandler<Payload> {
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
