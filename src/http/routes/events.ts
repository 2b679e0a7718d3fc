import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import { eventStatuses } from '../../entities/outbox-event.js';
import { askVendor, discardEvent, requeueEvent, settleEvent } from '../../operate/acts/events.js';
import { findEvent } from '../../operate/find.js';
import { listEvents, parseCursor } from '../../operate/list.js';
import { noSuchEvent } from '../../operate/lock-event.js';
import { readEvent } from '../../orders/event-story.js';
import { eventView } from '../../orders/view.js';
import type { Outbox } from '../../outbox/outbox.js';
import { decodePosition, encodePosition } from '../cursor.js';
import {
  askedSchema,
  eventSchema,
  eventWithAttemptsSchema,
  id,
  page,
  pageOf,
  shortText,
} from '../schemas.js';
import { serveAct } from '../serve-act.js';

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
      if (!story) throw noSuchEvent();
      return story;
    },
  );

  const engine = () => ({ database, registry: outbox.registry });
  const event = { schema: eventSchema, view: (_done: unknown, eventId: string) => eventNow(eventId) };
  serveAct(app, requeueEvent, engine, event);
  serveAct(app, discardEvent, engine, event);
  serveAct(app, settleEvent, engine, event);
  serveAct(app, askVendor, engine, {
    schema: askedSchema,
    view: ({ finding, exchanges }) => ({ ...finding, exchanges }),
  });

  async function eventNow(eventId: string) {
    const event = await findEvent(database.manager, eventId).catch((error: unknown) => {
      // The act has been done and kept: "nothing was kept" would be false.
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
