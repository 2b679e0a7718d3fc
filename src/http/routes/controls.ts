import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toRfc3339 } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import { findEvent } from '../../operate/find.js';
import { activePauses, PAUSE_MAX_MS, pause, resume } from '../../operate/pause.js';
import { type Why, why, whySentence } from '../../operate/why.js';
import { whyOrder } from '../../orders/why.js';
import type { Outbox } from '../../outbox/outbox.js';
import { actOf } from '../request.js';
import { id, reason } from '../schemas.js';

const scoped = z.object({ scope: z.enum(['type', 'target']), name: z.string().min(1).max(64) });
const pauseSchema = scoped.extend({
  type: z.string(),
  fromAt: z.string(),
  untilAt: z.string(),
  actor: z.string(),
  reason: z.string(),
});
const pauses = z.object({ data: z.array(pauseSchema) });

/** Why something does not move, and stopping a type or a vendor for a while. */
export const controlRoutes: FastifyPluginAsyncZod<{ database: Database; outbox: Outbox }> = async (
  app,
  { database, outbox },
) => {
  const whySchema = z.object({ code: z.string(), sentence: z.string(), nextAt: z.string().nullable() });
  app.get(
    '/v1/events/:id/why',
    {
      schema: {
        summary: 'Why an event is where it is, and what happens next',
        params: z.object({ id }),
        response: { 200: whySchema },
      },
    },
    async (request) => {
      const event = await findEvent(database.manager, request.params.id);
      if (!event) throw new Problem('not-found', { detail: 'there is no such event' });
      return whyView(await why(database, outbox.registry, event));
    },
  );

  app.get(
    '/v1/orders/:id/why',
    {
      schema: {
        summary: 'Why an order is where it is: each of its events that has not come to an end',
        params: z.object({ id }),
        response: {
          200: z.object({
            orderId: z.string(),
            orderNo: z.string(),
            status: z.string(),
            events: z.array(whySchema.extend({ id: z.string(), type: z.string() })),
          }),
        },
      },
    },
    async (request) => {
      const { events, ...order } = await whyOrder(database, outbox.registry, request.params.id);
      return {
        ...order,
        events: events.map(({ why: found, ...event }) => ({ ...event, ...whyView(found) })),
      };
    },
  );

  const list = async () => ({
    data: (await activePauses(database)).map(
      ({ scope, name, type, fromAt, untilAt, actor, reason: because }) => ({
        scope,
        name,
        type,
        fromAt: toRfc3339(fromAt),
        untilAt: toRfc3339(untilAt),
        actor,
        reason: because,
      }),
    ),
  });

  app.get('/v1/pauses', { schema: { summary: 'What is paused now', response: { 200: pauses } } }, async () =>
    list(),
  );

  const minutes = z
    .number()
    .int()
    .min(1)
    .max(PAUSE_MAX_MS / 60_000);
  app.post(
    '/v1/pauses',
    {
      schema: {
        summary: 'Claim nothing of a type, or of a vendor, for some minutes',
        body: scoped.extend({ minutes, reason }),
        response: { 200: pauses },
      },
    },
    async (request) => {
      const { scope, name } = request.body;
      const act = { ...actOf(request, request.body.reason), reason: request.body.reason };
      const result = await pause(
        database,
        outbox.registry,
        { scope, name, forMs: request.body.minutes * 60_000 },
        act,
      );
      if (result.kind === 'not-found')
        throw new Problem('not-found', { detail: `there is no ${scope} of this name` });
      if (result.kind === 'conflict') throw new Problem('already-paused');
      return list();
    },
  );

  app.post(
    '/v1/pauses/resume',
    {
      schema: {
        summary: 'End a pause before its time',
        body: scoped.extend({ reason }),
        response: { 200: pauses },
      },
    },
    async (request) => {
      const { scope, name } = request.body;
      const result = await resume(database, { scope, name }, actOf(request, request.body.reason));
      if (result.kind === 'not-found') throw new Problem('not-found', { detail: 'it is not paused' });
      return list();
    },
  );
};

function whyView(found: Why) {
  return {
    code: found.reason.code,
    sentence: whySentence(found, (instant) => (instant ? toRfc3339(instant) : 'an unknown time')),
    nextAt: found.nextAt ? toRfc3339(found.nextAt) : null,
  };
}
