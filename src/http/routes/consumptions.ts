import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type CoffeeDependencies, refundCoffee } from '../../orders/coffee.js';
import { recordConsumption } from '../../orders/consumption.js';
import { send } from '../answer.js';
import { attemptedBy, callerOf } from '../request.js';
import { cents, eventSchema, instant, reason, shortText, userId } from '../schemas.js';

/** It becomes part of a vendor's URL, where a name of dots only would change the path. */
const number = shortText(60)
  .regex(/^[\w.:-]+$/, 'letters, digits and . : _ -')
  .refine((value) => !/^\.+$/.test(value), 'not of dots only');
const consumptionBody = z.object({
  recordNo: number,
  userId,
  amountInCent: cents,
  canteen: shortText(128),
  consumedAt: instant.transform((value) => new Date(value)),
});
const consumptionAnswer = z.object({
  recordNo: z.string(),
  status: z.enum(['SYNCED', 'PENDING', 'REFUSED']),
  events: z.array(eventSchema),
});
const refundBody = z.object({ userId, amountInCent: cents, outTradeNo: number, reason: reason.optional() });
const refundAnswer = z.object({
  tradeNo: z.string(),
  status: z.enum(['REFUNDED', 'PENDING', 'REFUSED']),
  events: z.array(eventSchema),
});
const MARGIN_MS = 5_000;

/** What other systems of the canteen hand in: till records to sync, coffee trades to refund. */
export const consumptionRoutes: FastifyPluginAsyncZod<CoffeeDependencies> = async (app, dependencies) => {
  app.post(
    '/v1/canteen-consumptions',
    {
      schema: {
        summary: 'Keep a canteen consumption and sync it',
        body: consumptionBody,
        response: { 200: consumptionAnswer, 201: consumptionAnswer },
      },
    },
    async (request, reply) => {
      const { isNew, body } = await recordConsumption(
        dependencies,
        request.body,
        request.id,
        request.traceparent,
      );
      return reply.code(isNew ? 201 : 200).send(body);
    },
  );

  app.post(
    '/v1/coffee-trades/:tradeNo/refund',
    {
      schema: {
        summary: 'Refund a coffee trade',
        params: z.object({ tradeNo: number }),
        body: refundBody,
        response: { 200: refundAnswer, 202: refundAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { tradeNo } = request.params;
      const attempted = attemptedBy(
        request,
        caller,
        'coffee-refund',
        { tradeNo, ...request.body },
        dependencies.inlineBudgetMs + MARGIN_MS,
      );
      return send(
        reply,
        await refundCoffee(
          dependencies,
          attempted,
          { ...request.body, tradeNo, reason: request.body.reason ?? null },
          request.traceparent,
        ),
      );
    },
  );
};
