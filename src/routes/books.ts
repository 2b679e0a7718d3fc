import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { driftKinds } from '../books/drift.js';
import { checkOwnBooks } from '../books/own-books.js';
import { compareWithVendors } from '../books/vendor-books.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { Database } from '../database/database.js';
import { actOf } from '../http/request.js';
import { day, reason } from '../http/schemas.js';
import { applyRepair, planRepair, type Remedy } from '../orders/repair.js';
import { Problem } from '../problems.js';

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
  sums: z.array(z.object({ name: z.string(), expected: z.number(), actual: z.number(), difference: z.number() })),
  guilty: z.array(drift),
  vendors: z.object({ compared: z.number().int(), unanswered: z.number().int(), guilty: z.array(drift) }).nullable(),
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
const planSchema = z.object({ unanswered: z.number().int(), remedies: z.array(remedySchema) });
const remedyView = ({ drift: { kind, orderId, orderNo, eventId, what }, verb, eventType, text, careful }: Remedy) => ({
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

export const booksRoutes: FastifyPluginAsyncZod<{ database: Database; meican: MeicanClient; energy: EnergyClient; settleMs: number }> = async (
  app,
  { database, meican, energy, settleMs },
) => {
  const query = z
    .object({ day: day.optional(), againstVendors: z.enum(['true', 'false']).default('false') })
    .refine(({ day: of, againstVendors }) => againstVendors === 'false' || of !== undefined, { path: ['day'], message: 'the vendors are asked about one day' });
  app.get(
    '/v1/books',
    { schema: { summary: 'Do the books agree? Sums, differences, guilty orders', querystring: query, response: { 200: booksSchema } } },
    async (request) => {
      const of = request.query.day ?? null;
      const own = await checkOwnBooks(database, of);
      const context = { requestId: request.id ?? randomUUID(), traceparent: request.traceparent };
      const vendors =
        of && request.query.againstVendors === 'true' ? await compareWithVendors(database, meican, energy, { day: of, olderThanMs: settleMs }, context) : null;
      return {
        ...own,
        guilty: [...own.guilty],
        sums: [...own.sums],
        agree: own.agree && (vendors === null || vendors.guilty.length === 0),
        vendors: vendors ? { ...vendors, guilty: [...vendors.guilty] } : null,
      };
    },
  );

  async function plan(request: FastifyRequest, of: string): Promise<{ unanswered: number; remedies: Remedy[] }> {
    const context = { requestId: request.id, traceparent: request.traceparent };
    const vendors = await compareWithVendors(database, meican, energy, { day: of, olderThanMs: settleMs }, context);
    return { unanswered: vendors.unanswered, remedies: planRepair([...(await checkOwnBooks(database, of)).guilty, ...vendors.guilty]) };
  }

  app.get(
    '/v1/books/repairs',
    { schema: { summary: 'A dry run: what would mend each difference of one day', querystring: z.object({ day }), response: { 200: planSchema } } },
    async (request) => {
      const { unanswered, remedies } = await plan(request, request.query.day);
      return { unanswered, remedies: remedies.map(remedyView) };
    },
  );

  const order = z.object({ day, reason, orderNos: z.array(z.string().min(1).max(32)).max(100).default([]) });
  const result = remedySchema.extend({ result: z.enum(['done', 'skipped']), recordedEventId: z.string().nullable(), why: z.string() });
  app.post(
    '/v1/books/repairs',
    {
      schema: {
        summary: 'Carry the plan out. Remedies marked careful only for the orders that are named',
        body: order,
        response: { 200: z.object({ unanswered: z.number().int(), results: z.array(result) }) },
      },
    },
    async (request) => {
      const act = actOf(request, request.body.reason);
      const { unanswered, remedies } = await plan(request, request.body.day);
      if (unanswered > 0 && remedies.length === 0)
        throw new Problem('dependency-unavailable', { detail: `${unanswered} questions to the vendors got no answer` });
      const results = await applyRepair(database, remedies, request.body.orderNos, act);
      return { unanswered, results: results.map(({ remedy, eventId, ...rest }) => ({ ...remedyView(remedy), ...rest, recordedEventId: eventId })) };
    },
  );
};
