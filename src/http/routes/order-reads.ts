import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { LessThan } from 'typeorm';
import { z } from 'zod';
import { mayReach } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import { BoxOrder, orderStatuses } from '../../entities/box-order.js';
import { readTimeline, timelineEntry } from '../../orders/timeline.js';
import { orderView } from '../../orders/view.js';
import { decodeCursor, toPage } from '../cursor.js';
import { callerOf } from '../request.js';
import { day, orderSchema, page, pageOf, pathId, userId } from '../schemas.js';

/** Looking at orders. */
export const orderReads: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  app.get(
    '/v1/orders/:id',
    { schema: { summary: 'One order', params: z.object({ id: pathId }), response: { 200: orderSchema } } },
    async (request) => {
      const caller = callerOf(request);
      const order = await database.manager.findOneBy(BoxOrder, { id: request.params.id });
      if (!order || !mayReach(caller, order.userId))
        throw new Problem('not-found', { detail: 'there is no such order' });
      return orderView(order);
    },
  );

  const query = z.object({
    userId: userId.optional(),
    status: z.enum(orderStatuses).optional(),
    edibleDate: day.optional(),
    ...page,
  });
  app.get(
    '/v1/orders',
    {
      schema: { summary: 'Orders, newest first', querystring: query, response: { 200: pageOf(orderSchema) } },
    },
    async (request) => {
      const caller = callerOf(request);
      const { limit, cursor, ...filter } = request.query;
      if (filter.userId !== undefined && !mayReach(caller, filter.userId))
        throw new Problem('forbidden', { detail: 'only your own orders' });
      const owner = caller.role === 'user' ? caller.sub : filter.userId;
      const before = decodeCursor(cursor);
      const where = Object.fromEntries(
        Object.entries({ ...filter, userId: owner, ...(before ? { id: LessThan(before) } : {}) }).filter(
          ([, value]) => value !== undefined,
        ),
      );
      const rows = await database.manager.find(BoxOrder, { where, order: { id: 'DESC' }, take: limit + 1 });
      return toPage(rows, limit, orderView);
    },
  );

  app.get(
    '/v1/orders/:id/timeline',
    {
      schema: {
        summary: 'Everything that happened to an order, oldest first',
        params: z.object({ id: pathId }),
        response: { 200: z.object({ order: orderSchema, timeline: z.array(timelineEntry) }) },
      },
    },
    async (request) => {
      return readTimeline(database, request.params.id);
    },
  );
};
