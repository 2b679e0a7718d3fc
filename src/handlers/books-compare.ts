import { z } from 'zod';
import { raise } from '../alerts/raise.js';
import type { Drift } from '../books/drift.js';
import { checkOwnBooks } from '../books/own-books.js';
import { findStuck } from '../books/stuck.js';
import { compareWithVendors } from '../books/vendor-books.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import { businessDay } from '../clock.js';
import type { Database } from '../database/database.js';
import type { EventDefinition, EventHandler } from '../outbox/types.js';
import { callContext } from './answer.js';

/** `slot` makes each recurrence an event of its own, once for all schedulers together. */
const payload = z.strictObject({ day: z.string().regex(/^\d{4}-\d\d-\d\d$/), slot: z.string() });
type Payload = z.infer<typeof payload>;

/** Compares one day's books with themselves and with the vendors', and alerts on drift. If it never succeeds, a lost effect stays unnoticed. */
export const booksCompare: EventDefinition<Payload> = {
  type: 'BOOKS_COMPARE',
  version: 1,
  schema: payload,
  example: { day: '2026-11-23', slot: '2026-11-23T10' },
  dedupeKey: ({ day, slot }) => `${day}:${slot}`,
  orderingKey: () => 'books',
};

const DEADLINE_MS = 10 * 60_000;
const ALERTS_MAX = 50;
/** Vendors that do not answer now may in a while; whoever is woken for an outage need not be woken for this as well. */
const RETRY_MS = 5 * 60_000;

export interface BooksCompareDependencies {
  readonly database: Database;
  readonly meican: MeicanClient;
  readonly energy: EnergyClient;
  /** Orders that changed within the settle window are left for the next time. Milliseconds. */
  readonly settleMs: number;
}

export function createBooksCompare({ database, meican, energy, settleMs }: BooksCompareDependencies): EventHandler<Payload> {
  return {
    definition: booksCompare,
    target: 'books',
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: 60_000, retryDelayMs: RETRY_MS },
    refuseDiscard: async () => null, // the next hour compares anew
    async handle(event, context) {
      const { journal: _tooMany, ...quiet } = callContext(context); // one question for each order: the finding is what is kept
      const vendors = await compareWithVendors(database, meican, energy, { day: event.payload.day, olderThanMs: settleMs }, quiet);
      const own = await checkOwnBooks(database, event.payload.day);
      // Of orders for other days nobody else asks: one of the three comparisons of an hour looks at all of them.
      const stuck = isToday(event.payload) ? await findStuck(database, null) : [];
      const guilty = [...own.guilty.filter((one) => one.kind === 'stock-differs'), ...stuck, ...vendors.guilty]; // an errored event has had its alert
      if (guilty.length === 0 && vendors.unanswered > 0) {
        return {
          kind: 'ask-again',
          failure: { outcome: 'not-applied', code: 'vendors-silent', message: `${vendors.unanswered} questions got no answer`, sentNothing: true },
        };
      }
      return {
        kind: 'done',
        outcome: null,
        note: `${vendors.compared} orders compared, ${vendors.unanswered} questions unanswered, ${guilty.length} differences`,
        effect: async (tx) => {
          const sorted = [...guilty].sort((a, b) => (a.kind < b.kind ? -1 : 1)).slice(0, ALERTS_MAX); // groups are locked in one order
          for (const drift of sorted) await raise(tx, alertOf(drift, event.id));
        },
      };
    },
  };
}

function isToday({ day, slot }: Payload): boolean {
  return businessDay(Date.parse(`${slot}:00:00Z`)) === day;
}

function alertOf(drift: Drift, eventId: string) {
  return {
    groupKey: `drift:${drift.kind}`,
    kind: 'drift',
    title: 'BOOKS_COMPARE',
    cause: `${drift.kind}: ${drift.what}`,
    eventType: 'BOOKS_COMPARE',
    eventId,
    subjectId: drift.orderId,
    subjectNo: drift.orderNo,
  } as const;
}
