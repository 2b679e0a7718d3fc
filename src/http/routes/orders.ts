import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Caller } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import { revealDiner } from '../../operate/acts/orders.js';
import { cancel } from '../../orders/cancel.js';
import type { CancelDependencies } from '../../orders/cancelling.js';
import { place } from '../../orders/place.js';
import type { PlaceDependencies } from '../../orders/placing.js';
import { send } from '../answer.js';
import { attemptedBy, callerOf } from '../request.js';
import {
  day,
  email,
  eventSchema,
  id,
  mealType,
  orderSchema,
  pathId,
  reason,
  shortText,
  userId,
} from '../schemas.js';
import { serveAct } from '../serve-act.js';
import { orderReads } from './order-reads.js';

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
  /** Any other payment is refused by name, so that nobody finds their points taken instead. */
  payment: z.object({ type: z.literal('points', 'only points can be paid with here') }).optional(),
});
const cancelBody = z.object({ reason: reason.optional() }).nullish();
const orders = z.object({ orders: z.array(orderSchema) });
const cancelled = z.object({ order: orderSchema, events: z.array(eventSchema) });
/** A request that is still paying must not be taken over: time for the call, its questions and two transactions. */
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

  await app.register(orderReads, { database });

  serveAct(app, revealDiner, () => ({ database }), {
    schema: z.object({ realName: z.string(), email: z.string() }),
    view: (diner) => diner,
  });
};

/** Who will eat: the caller, or the person whom the body names where the role may. A gateway names the diner and the diner's e-mail. */
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
