import { z } from 'zod';
import { pruneOccurrences } from '../alerts/group.js';
import type { Database } from '../database/database.js';
import { expireExchanges, prune } from '../outbox/prune.js';
import type { EventDefinition, EventHandler } from '../outbox/types.js';

/** `slot` makes each recurrence an event of its own, once for all schedulers together. */
const payload = z.strictObject({ slot: z.string() });
type Payload = z.infer<typeof payload>;

/** Deletes what is past its retention, in small batches. If it never succeeds, the tables grow. */
export const housekeeping: EventDefinition<Payload> = {
  type: 'HOUSEKEEPING',
  version: 1,
  schema: payload,
  example: { slot: '2026-11-23T10' },
  dedupeKey: ({ slot }) => slot,
  orderingKey: () => 'housekeeping',
};

const DAY_MS = 86_400_000;
const DEADLINE_MS = 5 * 60_000;
const RETRY_MS = 5 * 60_000;
const BATCHES = { batchSize: 200, batchesMax: 200 } as const;

export interface HousekeepingDependencies {
  readonly database: Database;
  /** Finished events and the occurrences of recovered alerts. */
  readonly keepDays: number;
  /** What was sent and answered, also of errored events. */
  readonly keepExchangesDays: number;
  /** What belongs to others who keep house: idempotency records. Returns how many. */
  readonly others: () => Promise<number>;
}

export function createHousekeeping({ database, keepDays, keepExchangesDays, others }: HousekeepingDependencies): EventHandler<Payload> {
  return {
    definition: housekeeping,
    target: 'housekeeping',
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: 60_000, retryDelayMs: RETRY_MS },
    refuseDiscard: async () => null, // the next hour deletes what this one did not
    async handle() {
      const events = await prune(database, { ...BATCHES, keepMs: keepDays * DAY_MS });
      const exchanges = await expireExchanges(database, { ...BATCHES, keepMs: keepExchangesDays * DAY_MS });
      const occurrences = await pruneOccurrences(database, { ...BATCHES, keepMs: keepDays * DAY_MS });
      const records = await others();
      return {
        kind: 'done',
        outcome: null,
        note: `${events} events, ${exchanges} journals of attempts, ${occurrences} occurrences of alerts, ${records} idempotency records`,
      };
    },
  };
}
