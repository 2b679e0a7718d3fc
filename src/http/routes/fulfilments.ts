import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { fulfilmentStates } from '../../entities/box-order.js';
import { type FulfilDependencies, fulfil, fulfilmentResults } from '../../orders/fulfil.js';
import { instant, shortText } from '../schemas.js';

const UPDATES_MAX = 500;

/** NONE is where an order begins, and COMPLETED comes by itself. */
const told = z.enum(fulfilmentStates).exclude(['NONE', 'COMPLETED']);
const update = z.object({
  orderNo: shortText(32),
  state: told,
  at: instant.transform((value) => new Date(value)),
});
const body = z.object({ updates: z.array(update).max(UPDATES_MAX) });
const answer = z.object({
  results: z.array(z.object({ orderNo: z.string(), result: z.enum(fulfilmentResults) })),
});

export const fulfilmentRoutes: FastifyPluginAsyncZod<FulfilDependencies> = async (app, dependencies) => {
  app.post(
    '/v1/fulfilments',
    {
      schema: {
        summary: 'How far boxes have come after the kitchen',
        body,
        response: { 200: answer },
      },
    },
    async (request) => {
      const { updates } = request.body;
      const about = { requestId: request.id, traceparent: request.traceparent };
      const results = await fulfil(dependencies, updates, about);
      return { results: results.map((result, i) => ({ orderNo: updates[i]?.orderNo ?? '', result })) };
    },
  );
};
