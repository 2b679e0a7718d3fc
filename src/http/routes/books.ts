import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { EnergyClient } from '../../clients/energy.js';
import type { MeicanClient } from '../../clients/meican.js';
import type { Database } from '../../database/database.js';
import { driftKinds } from '../../reconcile/drift.js';
import { checkOwnBooks } from '../../reconcile/own-books.js';
import { compareWithVendors, sharedComparison } from '../../reconcile/vendor-books.js';
import { day, id } from '../schemas.js';
import { serveRepairs } from './repairs.js';

const drift = z.object({
  kind: z.enum(driftKinds),
  orderId: z.string().nullable(),
  orderNo: z.string().nullable(),
  what: z.string(),
  eventId: z.string().nullable(),
});
const booksSchema = z.object({
  agree: z.boolean(),
  pending: z.number().int(),
  sums: z.array(
    z.object({ name: z.string(), expected: z.number(), actual: z.number(), difference: z.number() }),
  ),
  guilty: z.array(drift),
  vendors: z
    .object({
      compared: z.number().int(),
      unanswered: z.number().int(),
      notReached: z.number().int(),
      next: z.string().nullable(),
      guilty: z.array(drift),
    })
    .nullable(),
});

/** A request does not wait longer for the vendors; its answer says what was not reached, and where to go on. */
const BUDGET_MS = 15_000;

export const booksRoutes: FastifyPluginAsyncZod<{
  database: Database;
  meican: MeicanClient;
  energy: EnergyClient;
  settleMs: number;
}> = async (app, { database, meican, energy, settleMs }) => {
  const compare = sharedComparison((options, context) =>
    compareWithVendors(database, meican, energy, options, context),
  );
  const optionsOf = (wantedDay: string, after: string | undefined) => ({
    day: wantedDay,
    after,
    olderThanMs: settleMs,
    budgetMs: BUDGET_MS,
  });
  const query = z
    .object({
      day: day.optional(),
      againstVendors: z.enum(['true', 'false']).default('false'),
      after: id.optional(),
    })
    .refine(({ day: wantedDay, againstVendors }) => againstVendors === 'false' || wantedDay !== undefined, {
      path: ['day'],
      message: 'the vendors are asked about one day',
    });
  app.get(
    '/v1/books',
    {
      schema: {
        summary: 'Do the books agree? Sums, differences, guilty orders',
        querystring: query,
        response: { 200: booksSchema },
      },
    },
    async (request) => {
      const wantedDay = request.query.day ?? null;
      const own = await checkOwnBooks(database, wantedDay);
      const context = { requestId: request.id ?? randomUUID(), traceparent: request.traceparent };
      const vendors =
        wantedDay && request.query.againstVendors === 'true'
          ? await compare(optionsOf(wantedDay, request.query.after), context)
          : null;
      return {
        ...own,
        guilty: [...own.guilty],
        sums: [...own.sums],
        agree: own.agree && (vendors === null || vendors.guilty.length === 0),
        vendors: vendors ? { ...vendors, guilty: [...vendors.guilty] } : null,
      };
    },
  );

  serveRepairs(app, database, (wantedDay, after, context) => compare(optionsOf(wantedDay, after), context));
};
