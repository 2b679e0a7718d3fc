import { z } from 'zod';
import { raise } from '../alerts/raise.js';
import { businessDay } from '../base/clock.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { Database, Tx } from '../database/database.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, EventHandler } from '../outbox/types.js';
import type { Drift } from '../reconcile/drift.js';
import { checkOwnBooks } from '../reconcile/own-books.js';
import { findStuck } from '../reconcile/stuck.js';
import { compareWithVendors } from '../reconcile/vendor-books.js';
import { callContext } from './answer.js';
import type { EventType } from './event-type.js';

/**
 * `slot` makes each recurrence an event of its own, once for all schedulers together. `after`, `part`: it goes on where an earlier part of the same
 * comparison ended.
 */
const payload = z.strictObject({
  day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  slot: z.string(),
  after: z.string().regex(/^\d+$/).optional(),
  part: z.number().int().optional(),
});
type Payload = z.infer<typeof payload>;

/** Compares one day's books with themselves and with the vendors', and alerts on drift. If it never succeeds, a lost effect stays unnoticed. */
export const booksCompare: EventType<Payload> = {
  type: 'BOOKS_COMPARE',
  target: 'books',
  version: 1,
  schema: payload,
  example: { day: '2026-11-23', slot: '2026-11-23T10' },
  dedupeKey: ({ day, slot, after }) => `${day}:${slot}${after === undefined ? '' : `:${after}`}`,
  orderingKey: () => 'books',
  words: {
    zh: {
      name: '对账',
      does: '把一天的账目与美餐、能量点中心核对。',
      ifNever: '没有应答说明的差错会一直没人发现。',
      affects: '对账。',
    },
    en: {
      name: 'Compare the books',
      does: 'Compares one day with Meican’s and the energy center’s records.',
      ifNever: 'What no answer told stays unnoticed.',
      affects: 'Accounting.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'any',
      pending: 'allowed: the next hour compares anew',
      errored: 'allowed: the next hour compares anew',
    },
  ],
  createHandler: ({ meican, energy }) => createBooksCompare({ ...meican, energy: energy.energy }),
};

const DEADLINE_MS = 10 * 60_000;
/** A part asks so long; the next one goes on with the rest. */
const BUDGET_MS = 5 * 60_000;
/** A comparison that is not through by then does not keep up: on call hears of it, and the next hour begins anew. */
const PARTS_MAX = 4;
const ALERTS_MAX = 50;
/** Vendors that do not answer now may in a while; whoever is woken for an outage need not be woken for this as well. */
const RETRY_MS = 5 * 60_000;

export interface BooksCompareDependencies {
  readonly database: Database;
  readonly meican: MeicanClient;
  readonly energy: EnergyClient;
  /** Orders that changed within the settle window are left for the next time. Milliseconds. */
  readonly settleMs: number;
  readonly budgetMs?: number;
}

export function createBooksCompare({
  database,
  meican,
  energy,
  settleMs,
  budgetMs = BUDGET_MS,
}: BooksCompareDependencies): EventHandler<Payload> {
  return {
    definition: booksCompare,
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: 60_000, retryDelayMs: RETRY_MS },
    refuseDiscard: async () => null, // the next hour compares anew
    async handle(event, context) {
      const { journal: _tooMany, ...quiet } = callContext(context); // one question for each order: the finding is what is kept
      const vendors = await compareWithVendors(
        database,
        meican,
        energy,
        { day: event.payload.day, after: event.payload.after, olderThanMs: settleMs, budgetMs },
        quiet,
      );
      const own = await checkOwnBooks(database, event.payload.day);
      // Of orders for other days nobody else asks: one of the three comparisons of an hour looks at all of them.
      const stuck = isToday(event.payload) ? await findStuck(database, null) : [];
      const guilty = [
        ...own.guilty.filter((one) => one.kind === 'stock-differs'),
        ...stuck,
        ...vendors.guilty,
      ]; // an errored event has had its alert
      if (guilty.length === 0 && vendors.unanswered > 0 && (vendors.silent || vendors.notReached === 0)) {
        return {
          kind: 'ask-again',
          failure: {
            outcome: 'not-applied',
            code: 'vendors-silent',
            message: `${vendors.unanswered} questions got no answer`,
            sentNothing: true,
          },
        };
      }
      return {
        kind: 'done',
        outcome: null,
        note: `${vendors.compared} orders compared, ${vendors.notReached} not reached, ${vendors.unanswered} questions unanswered, ${guilty.length} differences`,
        effect: async (tx) => {
          const sorted = [...guilty].sort((a, b) => (a.kind < b.kind ? -1 : 1)).slice(0, ALERTS_MAX); // groups are locked in one order
          for (const drift of sorted) await raise(tx, alertOf(drift, event.id));
          if (vendors.next !== null && !vendors.silent)
            await goOn(tx, event, vendors.next, vendors.notReached);
        },
      };
    },
  };
}

/** The rest is another event, behind this one; after several parts the comparison does not keep up, and a person hears of it. */
async function goOn(
  tx: Tx,
  { id, payload: of }: ClaimedEvent<Payload>,
  after: string,
  notReached: number,
): Promise<void> {
  const part = (of.part ?? 1) + 1;
  if (part <= PARTS_MAX && after !== (of.after ?? '0')) {
    await record(tx, booksCompare, { day: of.day, slot: of.slot, after, part });
    return;
  }
  await raise(tx, {
    groupKey: 'books:not-reached',
    kind: 'drift',
    title: booksCompare.type,
    cause: `the comparison does not keep up: ${notReached} orders for ${of.day} were not reached within the hour`,
    eventType: booksCompare.type,
    eventId: id,
    subjectId: null,
    subjectNo: null,
  });
}

function isToday({ day, slot }: Payload): boolean {
  return businessDay(Date.parse(`${slot}:00:00Z`)) === day;
}

function alertOf(drift: Drift, eventId: string) {
  return {
    groupKey: `drift:${drift.kind}`,
    kind: 'drift',
    title: booksCompare.type,
    cause: `${drift.kind}: ${drift.what}`,
    eventType: booksCompare.type,
    eventId,
    subjectId: drift.orderId,
    subjectNo: drift.orderNo,
  } as const;
}
