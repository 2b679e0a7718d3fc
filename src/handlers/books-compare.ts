import { z } from 'zod';
import { raise } from '../alerts/raise.js';
import { businessDay } from '../base/clock.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { Database, Tx } from '../database/database.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import type { Drift } from '../reconcile/drift.js';
import { checkOwnBooks } from '../reconcile/own-books.js';
import { findStuck } from '../reconcile/stuck.js';
import { compareWithVendors } from '../reconcile/vendor-books.js';
import { callContext } from './answer.js';
import type { EventType } from './event-type.js';

/**
 * `slot` makes each hour an event of its own, recorded once by all schedulers together. `after`, `part`: this
 * event goes on where an earlier part of the same comparison ended.
 */
const payload = z.strictObject({
  day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  slot: z.string(),
  after: z.string().regex(/^\d+$/).optional(),
  part: z.number().int().optional(),
});
type Payload = z.infer<typeof payload>;

/**
 * Compares one day's books with themselves and with the vendors', and raises an alert for each difference.
 */
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
/** A part asks the vendors this long; the next part goes on with the rest. */
const BUDGET_MS = 5 * 60_000;
/** A comparison with more parts does not keep up: an alert says so, and the next hour begins anew. */
const PARTS_MAX = 4;
const ALERTS_MAX = 50;
/** Silent vendors may answer later, and their outage has its own alert. */
const RETRY_MS = 5 * 60_000;

export interface BooksCompareDependencies {
  readonly database: Database;
  readonly meican: MeicanClient;
  readonly energy: EnergyClient;
  /** Orders that changed within this time are left to the next comparison. Milliseconds. */
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
      const vendors = await compareVendors(event, context);
      const guilty = [...(await differencesOfOwnBooks(event.payload)), ...vendors.guilty];
      const nothingLearnt = vendors.unanswered > 0 && (vendors.silent || vendors.notReached === 0);
      if (guilty.length === 0 && nothingLearnt) return vendorsSilent(vendors.unanswered);
      return {
        kind: 'done',
        outcome: null,
        note: `${vendors.compared} orders compared, ${vendors.notReached} not reached, ${vendors.unanswered} questions unanswered, ${guilty.length} differences`,
        effect: async (tx) => {
          await raiseAll(tx, guilty, event.id);
          if (vendors.next !== null && !vendors.silent)
            await goOn(tx, event, vendors.next, vendors.notReached);
        },
      };
    },
  };

  function compareVendors({ payload: { day, after } }: ClaimedEvent<Payload>, context: HandlerContext) {
    // A question for each order would fill the journal; the differences are kept.
    const { journal: _tooMany, ...quiet } = callContext(context);
    return compareWithVendors(
      database,
      meican,
      energy,
      { day, after, olderThanMs: settleMs, budgetMs },
      quiet,
    );
  }

  /** Errored events are left out, because each of them has raised an alert. */
  async function differencesOfOwnBooks(payload: Payload): Promise<Drift[]> {
    const own = await checkOwnBooks(database, payload.day);
    // An order for another day may be stuck, too: the comparison of today looks at the orders of all days.
    const stuck = isToday(payload) ? await findStuck(database, null) : [];
    return [...own.guilty.filter(({ kind }) => kind === 'stock-differs'), ...stuck];
  }
}

function vendorsSilent(unanswered: number): HandlerOutcome {
  return {
    kind: 'ask-again',
    failure: {
      outcome: 'not-applied',
      code: 'vendors-silent',
      message: `${unanswered} questions got no answer`,
      sentNothing: true,
    },
  };
}

/** Sorted, so that all comparisons lock the alert groups in the same order. */
async function raiseAll(tx: Tx, guilty: readonly Drift[], eventId: string): Promise<void> {
  const sorted = [...guilty].sort((a, b) => (a.kind < b.kind ? -1 : 1)).slice(0, ALERTS_MAX);
  for (const drift of sorted) await raise(tx, alertOf(drift, eventId));
}

/** Records the next part, or raises an alert when there have been too many parts. */
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
