import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { LessThan } from 'typeorm';
import { z } from 'zod';
import { type Caller, mayReach } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import { BoxOrder, orderStatuses } from '../../entities/box-order.js';
import { cancel } from '../../orders/cancel.js';
import type { CancelDependencies } from '../../orders/cancelling.js';
import { place } from '../../orders/place.js';
import type { PlaceDependencies } from '../../orders/placing.js';
import { reveal } from '../../orders/reveal.js';
import { readTimeline, timelineEntry } from '../../orders/timeline.js';
import { orderView } from '../../orders/view.js';
import { send } from '../answer.js';
import { decodeCursor, toPage } from '../cursor.js';
import { actOf, attemptedBy, callerOf } from '../request.js';
import {
  day,
  email,
  eventSchema,
  id,
  mealType,
  orderSchema,
  page,
  pageOf,
  pathId,
  reason,
  shortText,
  userId,
} from '../schemas.js';

const meal = z.object({
  dishId: id,
  sideboardId: id,
  edibleDate: day,
  mealType,
  count: z.literal(1, 'one box for each order').optional(),
});
const orderBody = z.object({
  garden: shortText(64),
  meals: z.array(meal).min(1).max(10),
  userId: userId.optional(),
  email: email.optional(),
  name: shortText(128).optional(),
  /** Refused by name: whoever wants to pay otherwise must not find their points taken. */
  payment: z.object({ type: z.literal('points', 'only points can be paid with here') }).optional(),
});
const cancelBody = z.object({ reason: reason.optional() }).nullish();
const orders = z.object({ orders: z.array(orderSchema) });
const cancelled = z.object({ order: orderSchema, events: z.array(eventSchema) });
/** A request that is still paying must not be taken over: the call, its questions, two transactions. */
const PLACE_MARGIN_MS = 10_000;

export const orderRoutes: FastifyPluginAsyncZod<PlaceDependencies & CancelDependencies> = async (
  app,
  dependencies,
) => {
  const { database } = dependencies;

  app.post(
    '/v1/orders',
    { schema: { summary: 'Order boxed meals', body: orderBody, response: { 201: orders } } },
    async (request, reply) => {
      const caller = callerOf(request);
      const { body } = request;
      const lockMs = body.meals.length * 2 * dependencies.payTimeoutMs + PLACE_MARGIN_MS;
      const attempted = attemptedBy(request, caller, 'place', body, lockMs);
      const answer = await place(dependencies, {
        attempted,
        ...dinerOf(caller, body),
        garden: body.garden,
        meals: body.meals,
        traceparent: request.traceparent,
      });
      return send(reply, answer);
    },
  );

  app.post(
    '/v1/orders/:id/cancel',
    {
      schema: {
        summary: 'Cancel an order',
        params: z.object({ id: pathId }),
        body: cancelBody,
        response: { 200: cancelled, 202: cancelled },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const attempted = attemptedBy(
        request,
        caller,
        'cancel',
        { orderId: request.params.id, ...request.body },
        dependencies.inlineBudgetMs + PLACE_MARGIN_MS,
      );
      return send(
        reply,
        await cancel(dependencies, {
          attempted,
          caller,
          orderId: request.params.id,
          reason: request.body?.reason ?? null,
          traceparent: request.traceparent,
        }),
      );
    },
  );

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

  app.post(
    '/v1/orders/:id/reveal',
    {
      schema: {
        summary: 'The name and e-mail of who ordered; kept in the audit',
        params: z.object({ id: pathId }),
        response: { 200: z.object({ realName: z.string(), email: z.string() }) },
      },
    },
    async (request) => reveal(database, request.params.id, actOf(request, null)),
  );
};

/** For whom the meal is: oneself, or whom the body names where the role may. A gateway has no meals of its own: it names whose and which e-mail. */
function dinerOf(
  caller: Caller,
  body: z.output<typeof orderBody>,
): { userId: string; email: string; realName: string } {
  if (caller.role === 'service' && body.userId === undefined)
    throw new Problem('validation', {
      errors: [{ path: 'body.userId', message: 'a service orders for others, and must name them' }],
    });
  const diner = body.userId ?? caller.sub;
  const isSelf = diner === caller.sub && caller.role !== 'service';
  if (caller.role === 'user' && !isSelf) throw new Problem('forbidden', { detail: 'only for yourself' });
  const email = (caller.role === 'user' ? undefined : body.email) ?? (isSelf ? caller.email : null);
  if (!email)
    throw new Problem('validation', {
      errors: [
        {
          path: 'body.email',
          message:
            'Meican knows the diner by e-mail: the token, or the body where the role may, must name it',
        },
      ],
    });
  return {
    userId: diner,
    email,
    realName: (caller.role === 'user' ? undefined : body.name) ?? (isSelf ? caller.name : null) ?? diner,
  };
}
