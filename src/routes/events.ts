import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../database/database.js';
import { eventStatuses } from '../entities/outbox-event.js';
import { decodeCursor, toPage } from '../http/cursor.js';
import { callerWith } from '../http/request.js';
import { eventSchema, eventWithAttemptsSchema, id, page, pageOf, reason, shortText } from '../http/schemas.js';
import { readEvent } from '../orders/event-story.js';
import { eventView } from '../orders/view.js';
import type { Act } from '../outbox/audit.js';
import { findEvent, findEvents } from '../outbox/find.js';
import type { Outbox } from '../outbox/outbox.js';
import { discard, requeue } from '../outbox/requeue.js';
import { Problem } from '../problems.js';

export const eventRoutes: FastifyPluginAsyncZod<{ database: Database; outbox: Outbox }> = async (app, { database, outbox }) => {
  const query = z.object({ status: z.enum(eventStatuses).optional(), type: shortText(64).optional(), orderId: id.optional(), ...page });
  app.get('/v1/events', { schema: { summary: 'Events, newest first', querystring: query, response: { 200: pageOf(eventSchema) } } }, async (request) => {
    callerWith(request, 'viewer', 'operator');
    const { limit, cursor, orderId, status, type } = request.query;
    const rows = await findEvents(database.manager, { status, type, subjectId: orderId, beforeId: decodeCursor(cursor) }, limit + 1);
    return toPage(rows, limit, (event) => eventView(event, outbox.failuresMax(event.type)));
  });

  app.get(
    '/v1/events/:id',
    { schema: { summary: 'One event and its attempts', params: z.object({ id }), response: { 200: eventWithAttemptsSchema } } },
    async (request) => {
      callerWith(request, 'viewer', 'operator');
      const story = await readEvent(database, outbox, request.params.id);
      if (!story) throw new Problem('not-found', { detail: 'there is no such event' });
      return story;
    },
  );

  const acts = [
    { verb: 'requeue', deed: requeue, refusal: 'event-not-errored', summary: 'errored → pending with fresh failures' },
    { verb: 'discard', deed: discard, refusal: 'event-not-discardable', summary: 'Give an event up for good' },
  ] as const;
  for (const { verb, deed, refusal, summary } of acts) {
    app.post(
      `/v1/events/:id/${verb}`,
      { schema: { summary, params: z.object({ id }), body: z.object({ reason }), response: { 200: eventSchema } } },
      async (request) => {
        const act = actOf(request, request.body.reason);
        const result = await deed(database, request.params.id, act);
        if (result.kind === 'not-found') throw new Problem('not-found', { detail: 'there is no such event' });
        if (result.kind === 'conflict') throw new Problem(refusal, { more: { currentStatus: result.status } });
        const event = await findEvent(database.manager, request.params.id);
        if (!event) throw new Problem('not-found');
        return eventView(event, outbox.failuresMax(event.type));
      },
    );
  }
};

function actOf(request: FastifyRequest, because: string): Act {
  const caller = callerWith(request, 'operator');
  return { actor: caller.sub, role: caller.role, reason: because, requestId: request.id };
}
