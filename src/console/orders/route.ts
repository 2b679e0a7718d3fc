import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ConsoleContext } from '../context.js';
import { optionalId, optionalText, queryOf } from '../request.js';
import { listOrders } from './list.js';
import { ordersPage } from './page.js';

const query = z.object({
  userId: optionalText,
  edibleDate: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/)
    .optional()
    .catch(undefined),
  beforeId: optionalId,
});

export function ordersRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading } = context;

  app.get('/console/orders', async (request, reply) => {
    const filter = query.parse(queryOf(request));
    const [listed, now] = await Promise.all([listOrders(reading, filter), reading.now()]);
    const visitor = context.visitor(request);
    return context.page(request, reply, {
      title: visitor.words.orders,
      body: ordersPage(visitor, filter, listed, now),
    });
  });
}
