import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { driftKinds } from '../books/drift.js';
import { checkOwnBooks } from '../books/own-books.js';
import { compareWithVendors } from '../books/vendor-books.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { Database } from '../database/database.js';
import { callerWith } from '../http/request.js';
import { day } from '../http/schemas.js';

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
      callerWith(request, 'viewer', 'operator');
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
};
