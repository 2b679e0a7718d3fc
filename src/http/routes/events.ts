import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Problem, type ProblemCode } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import { eventStatuses } from '../../entities/outbox-event.js';
import { ask } from '../../operate/ask.js';
import type { Act } from '../../operate/audit.js';
import { discard } from '../../operate/discard.js';
import { findEvent } from '../../operate/find.js';
import { listEvents, parseCursor } from '../../operate/list.js';
import { type ActResult, requeue, settleAsDone, settleAsNotDone } from '../../operate/requeue.js';
import { readEvent } from '../../orders/event-story.js';
import { eventView } from '../../orders/view.js';
import type { Outbox } from '../../outbox/outbox.js';
import { decodePosition, encodePosition } from '../cursor.js';
import { actOf } from '../request.js';
import {
  askedSchema,
  eventSchema,
  eventWithAttemptsSchema,
  id,
  page,
  pageOf,
  reason,
  shortText,
} from '../schemas.js';

export const eventRoutes: FastifyPluginAsyncZod<{ database: Database; outbox: Outbox }> = async (
  app,
  { database, outbox },
) => {
  const query = z.object({
    status: z.enum(eventStatuses).optional(),
    type: shortText(64).optional(),
    orderId: id.optional(),
    ...page,
  });
  app.get(
    '/v1/events',
    {
      schema: { summary: 'Events, newest first', querystring: query, response: { 200: pageOf(eventSchema) } },
    },
    async (request) => {
      const { limit, cursor, orderId, status, type } = request.query;
      const filter = { state: status, types: type === undefined ? undefined : [type], subjectId: orderId };
      const { rows, next } = await listEvents(database, filter, limit, decodePosition(cursor, parseCursor));
      return {
        data: rows.map((event) => eventView(event, outbox.failuresMax(event.type))),
        nextCursor: next === null ? null : encodePosition(next),
      };
    },
  );

  app.get(
    '/v1/events/:id',
    {
      schema: {
        summary: 'One event and its attempts',
        params: z.object({ id }),
        response: { 200: eventWithAttemptsSchema },
      },
    },
    async (request) => {
      const story = await readEvent(database, outbox, request.params.id);
      if (!story) throw new Problem('not-found', { detail: 'there is no such event' });
      return story;
    },
  );

  const settleBody = z.object({ as: z.enum(['done', 'not-done']), reason });
  const acts = [
    {
      verb: 'requeue',
      deed: (of: string, act: Act) => requeue(database, of, act),
      refusal: 'event-not-errored',
      summary: 'errored → pending with fresh failures',
    },
    {
      verb: 'discard',
      deed: (of: string, act: Act) => discard(database, outbox.registry, of, act),
      refusal: 'event-not-discardable',
      summary: 'Give an event up for good: with the compensation of its type, or refused with the reason',
    },
  ] as const;
  for (const { verb, deed, refusal, summary } of acts) {
    app.post(
      `/v1/events/:id/${verb}`,
      {
        schema: {
          summary,
          params: z.object({ id }),
          body: z.object({ reason }),
          response: { 200: eventSchema },
        },
      },
      async (request) => {
        const act = actOf(request, request.body.reason);
        const result = await deed(request.params.id, act);
        return afterDeed(request.params.id, result, refusal);
      },
    );
  }

  app.post(
    '/v1/events/:id/settle',
    {
      schema: {
        summary:
          'State what the vendor did: done → handled; not done (unknown outcomes only) → carried out again without asking first',
        params: z.object({ id }),
        body: settleBody,
        response: { 200: eventSchema },
      },
    },
    async (request) => {
      const act = actOf(request, request.body.reason);
      const result =
        request.body.as === 'done'
          ? await settleAsDone(database, outbox.registry, request.params.id, act)
          : await settleAsNotDone(database, request.params.id, act);
      return afterDeed(request.params.id, result, 'event-not-settleable');
    },
  );

  app.post(
    '/v1/events/:id/ask',
    {
      schema: {
        summary: 'Ask the vendor what its books say; the answer is kept, nothing else changes',
        params: z.object({ id }),
        response: { 200: askedSchema },
      },
    },
    async (request) => {
      const asked = await ask(database, outbox.registry, request.params.id, actOf(request, null));
      if (asked.kind === 'not-found') throw new Problem('not-found', { detail: 'there is no such event' });
      if (asked.kind === 'no-question') throw new Problem('event-not-askable');
      return { ...asked.finding, exchanges: [...asked.exchanges] };
    },
  );

  async function afterDeed(eventId: string, result: ActResult, refusal: ProblemCode) {
    if (result.kind === 'not-found') throw new Problem('not-found', { detail: 'there is no such event' });
    if (result.kind === 'conflict') throw new Problem(refusal, { more: { currentStatus: result.status } });
    if (result.kind === 'refused')
      throw new Problem(refusal, { detail: result.why, more: { currentStatus: result.status } });
    const event = await findEvent(database.manager, eventId).catch((error: unknown) => {
      // It has been done and kept: "nothing was kept" would be false.
      throw new Problem('outcome-unknown', {
        detail: 'it was done; the event cannot be read now',
        retryAfterS: 2,
        cause: error,
      });
    });
    if (!event) throw new Problem('not-found');
    return eventView(event, outbox.failuresMax(event.type));
  }
};
