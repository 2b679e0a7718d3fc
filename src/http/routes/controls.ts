import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toRfc3339 } from '../../base/clock.js';
import type { Database } from '../../database/database.js';
import { pauseClaims, pauseScopes, resumeClaims } from '../../operate/acts/controls.js';
import { findEvent } from '../../operate/find.js';
import { noSuchEvent } from '../../operate/lock-event.js';
import { activePauses } from '../../operate/pause.js';
import { type Why, why } from '../../operate/why.js';
import { whySentence } from '../../operate/why-sentence.js';
import { whyOrder } from '../../orders/why.js';
import type { Outbox } from '../../outbox/outbox.js';
import { id } from '../schemas.js';
import { serveAct } from '../serve-act.js';

const pauseSchema = z.object({
  scope: z.enum(pauseScopes),
  name: z.string().min(1).max(64),
  type: z.string(),
  fromAt: z.string(),
  untilAt: z.string(),
  actor: z.string(),
  reason: z.string(),
});
const pauses = z.object({ data: z.array(pauseSchema) });

/** Why an event or an order does not move, and pauses of a type or of a vendor. */
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
      if (!event) throw noSuchEvent();
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
            /** Open: it waits for a person, or, once APPROVED, for its refund. */
            complaint: z.object({ id: z.string(), state: z.string(), since: z.string() }).nullable(),
            events: z.array(whySchema.extend({ id: z.string(), type: z.string() })),
          }),
        },
      },
    },
    async (request) => {
      const { events, complaint, ...order } = await whyOrder(database, outbox.registry, request.params.id);
      return {
        ...order,
        complaint: complaint && { ...complaint, since: toRfc3339(complaint.since) },
        events: events.map(({ why: found, ...event }) => ({ ...event, ...whyView(found) })),
      };
    },
  );

  const list = async () => ({
    data: (await activePauses(database)).map(({ scope, name, type, fromAt, untilAt, actor, reason }) => ({
      scope,
      name,
      type,
      fromAt: toRfc3339(fromAt),
      untilAt: toRfc3339(untilAt),
      actor,
      reason,
    })),
  });

  app.get('/v1/pauses', { schema: { summary: 'What is paused now', response: { 200: pauses } } }, async () =>
    list(),
  );

  serveAct(app, pauseClaims, () => ({ database, registry: outbox.registry }), { schema: pauses, view: list });
  serveAct(app, resumeClaims, () => ({ database }), { schema: pauses, view: list });
};

function whyView(found: Why) {
  return {
    code: found.reason.code,
    sentence: whySentence(found, (instant) => (instant ? toRfc3339(instant) : 'an unknown time')),
    nextAt: found.nextAt ? toRfc3339(found.nextAt) : null,
  };
}
