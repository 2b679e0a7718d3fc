import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../database/database.js';
import { type RepairPlan, repairBooks } from '../../operate/acts/orders.js';
import { driftKinds } from '../../reconcile/drift.js';
import { checkOwnBooks } from '../../reconcile/own-books.js';
import { planRepair, type Remedy } from '../../reconcile/repair.js';
import type { VendorComparison } from '../../reconcile/vendor-books.js';
import { day, id } from '../schemas.js';
import { serveAct } from '../serve-act.js';

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
const repairedSchema = remedySchema.extend({
  result: z.enum(['done', 'skipped']),
  recordedEventId: z.string().nullable(),
  why: z.string(),
});
const reached = { unanswered: z.number().int(), notReached: z.number().int(), next: z.string().nullable() };
const planSchema = z.object({ ...reached, remedies: z.array(remedySchema) });

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

type Compare = (
  day: string,
  after: string | undefined,
  context: { readonly requestId: string; readonly traceparent: string },
) => Promise<VendorComparison>;

/** The plan that would mend the differences of one day, and its execution. */
export function serveRepairs(
  app: Parameters<FastifyPluginAsyncZod>[0],
  database: Database,
  compare: Compare,
): void {
  async function plan(
    request: FastifyRequest,
    wantedDay: string,
    after: string | undefined,
  ): Promise<RepairPlan> {
    const context = { requestId: request.id, traceparent: request.traceparent };
    const { guilty, unanswered, notReached, next } = await compare(wantedDay, after, context);
    return {
      unanswered,
      notReached,
      next,
      remedies: planRepair([...(await checkOwnBooks(database, wantedDay)).guilty, ...guilty]),
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

  serveAct(
    app,
    repairBooks,
    (request) => ({ database, planOf: (wantedDay, after) => plan(request, wantedDay, after) }),
    {
      schema: z.object({ ...reached, results: z.array(repairedSchema) }),
      view: ({ results, ...how }) => ({
        ...how,
        results: results.map(({ remedy, eventId, ...rest }) => ({
          ...remedyView(remedy),
          ...rest,
          recordedEventId: eventId,
        })),
      }),
    },
  );
}
