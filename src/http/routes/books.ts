import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import type { EnergyClient } from '../../clients/energy.js';
import type { MeicanClient } from '../../clients/meican.js';
import type { Database } from '../../database/database.js';
import { driftKinds } from '../../reconcile/drift.js';
import { checkOwnBooks } from '../../reconcile/own-books.js';
import { applyRepair, planRepair, type Remedy } from '../../reconcile/repair.js';
import { compareWithVendors, sharedComparison, type VendorComparison } from '../../reconcile/vendor-books.js';
import { actOf } from '../request.js';
import { day, id, reason } from '../schemas.js';

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

const remedySchema = z.object({
  kind: z.enum(driftKinds),
  orderId: z.string().nullable(),
  orderNo: z.string().nullable(),
  eventId: z.string().nullable(),
  what: z.string(),
  verb: z.enum(['record', 'requeue', 'recount', 'decide']),
  eventType: z.string().nullable(),
  remedy: z.string(),
  careful: z.boolean(),
});
const reached = { unanswered: z.number().int(), notReached: z.number().int(), next: z.string().nullable() };
const planSchema = z.object({ ...reached, remedies: z.array(remedySchema) });
/** A request does not wait longer for the vendors; its answer says what was not reached, and where to go on. */
const BUDGET_MS = 15_000;
const remedyView = ({
  drift: { kind, orderId, orderNo, eventId, what },
  verb,
  eventType,
  text,
  careful,
}: Remedy) => ({
  kind,
  orderId,
  orderNo,
  eventId,
  what,
  verb,
  eventType,
  remedy: text,
  careful,
});

export const booksRoutes: FastifyPluginAsyncZod<{
  database: Database;
  meican: MeicanClient;
  energy: EnergyClient;
  settleMs: number;
}> = async (app, { database, meican, energy, settleMs }) => {
  const compare = sharedComparison((options, context) =>
    compareWithVendors(database, meican, energy, options, context),
  );
  const optionsOf = (of: string, after: string | undefined) => ({
    day: of,
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
    .refine(({ day: of, againstVendors }) => againstVendors === 'false' || of !== undefined, {
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
      const of = request.query.day ?? null;
      const own = await checkOwnBooks(database, of);
      const context = { requestId: request.id ?? randomUUID(), traceparent: request.traceparent };
      const vendors =
        of && request.query.againstVendors === 'true'
          ? await compare(optionsOf(of, request.query.after), context)
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

  type Reached = Pick<VendorComparison, 'unanswered' | 'notReached' | 'next'>;
  async function plan(
    request: FastifyRequest,
    of: string,
    after: string | undefined,
  ): Promise<Reached & { remedies: Remedy[] }> {
    const context = { requestId: request.id, traceparent: request.traceparent };
    const vendors = await compare(optionsOf(of, after), context);
    const { unanswered, notReached, next } = vendors;
    return {
      unanswered,
      notReached,
      next,
      remedies: planRepair([...(await checkOwnBooks(database, of)).guilty, ...vendors.guilty]),
    };
  }

  app.get(
    '/v1/books/repairs',
    {
      schema: {
        summary: 'A dry run: what would mend each difference of one day',
        querystring: z.object({ day, after: id.optional() }),
        response: { 200: planSchema },
      },
    },
    async (request) => {
      const { remedies, ...how } = await plan(request, request.query.day, request.query.after);
      return { ...how, remedies: remedies.map(remedyView) };
    },
  );

  const order = z.object({
    day,
    after: id.optional(),
    reason,
    orderNos: z.array(z.string().min(1).max(32)).max(100).default([]),
  });
  const result = remedySchema.extend({
    result: z.enum(['done', 'skipped']),
    recordedEventId: z.string().nullable(),
    why: z.string(),
  });
  app.post(
    '/v1/books/repairs',
    {
      schema: {
        summary: 'Carry the plan out. Remedies marked careful only for the orders that are named',
        body: order,
        response: { 200: z.object({ ...reached, results: z.array(result) }) },
      },
    },
    async (request) => {
      const act = actOf(request, request.body.reason);
      const { remedies, ...how } = await plan(request, request.body.day, request.body.after);
      if (how.unanswered > 0 && remedies.length === 0)
        throw new Problem('dependency-unavailable', {
          detail: `${how.unanswered} questions to the vendors got no answer`,
        });
      const results = await applyRepair(database, remedies, request.body.orderNos, act);
      return {
        ...how,
        results: results.map(({ remedy, eventId, ...rest }) => ({
          ...remedyView(remedy),
          ...rest,
          recordedEventId: eventId,
        })),
      };
    },
  );
};
