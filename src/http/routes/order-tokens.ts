import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toRfc3339 } from '../../base/clock.js';
import type { OrderTokens } from '../../orders/order-token.js';
import { callerOf } from '../request.js';

const issued = z.object({ token: z.string(), expiresAt: z.string() });

/** Registered only where order tokens are in use: otherwise there is no such resource. */
export const orderTokenRoutes: FastifyPluginAsyncZod<{ tokens: OrderTokens }> = async (app, { tokens }) => {
  app.post(
    '/v1/order-tokens',
    {
      schema: {
        summary: 'A token for one order, to be sent as its Idempotency-Key',
        response: { 201: issued },
      },
    },
    async (request, reply) => {
      const { token, expiresAt } = await tokens.issue(callerOf(request));
      return reply.code(201).send({ token, expiresAt: toRfc3339(expiresAt) });
    },
  );
};
