import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem, WrongState } from '../../base/problems.js';
import { askVendor, discardEvent, requeueEvent, settleEvent } from '../../operate/acts/events.js';
import { listActions } from '../../operate/audit.js';
import { readEvent } from '../../orders/event-story.js';
import type { ConsoleContext } from '../context.js';
import { type Html, html } from '../html.js';
import type { PageOptions } from '../page.js';
import { clockTime } from '../parts/text.js';
import { perform } from '../perform.js';
import { idOf, paramsOf, queryOf } from '../request.js';
import type { Visitor } from '../session.js';
import { eventPage, goneEvent } from './page.js';
import { readEventView, wasThere } from './read.js';

export function eventRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database, reading, outbox } = context;

  app.get('/console/events/:id', async (request, reply) => {
    const visitor = context.visitor(request);
    const eventId = idOf(request);
    const body = eventId === null ? null : await bodyOf(visitor, eventId, queryOf(request).compare === '1');
    const title = `${visitor.words.events} ${eventId}`;
    if (body) return context.page(request, reply, { title, body });
    if (eventId === null || !(await wasThere(reading, eventId)))
      throw new Problem('not-found', { detail: visitor.words.notFound });
    const { rows } = await listActions(reading, undefined, { type: 'event', id: eventId });
    const summary = goneEvent(visitor, rows, await reading.now());
    return context.page(request, reply, { title, body: summary, status: 410, refreshS: 0 });
  });

  app.get('/console/events/:id/json', async (request, reply) => {
    const eventId = idOf(request);
    const story = eventId === null ? null : await readEvent(reading, outbox, eventId);
    if (!story) throw new Problem('not-found');
    return reply
      .header('Content-Disposition', `attachment; filename="event-${eventId}.json"`)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(story, null, 2));
  });

  async function bodyOf(visitor: Visitor, eventId: string, compare: boolean): Promise<Html | null> {
    const view = await readEventView(context, eventId, compare);
    return view && eventPage(visitor, view);
  }

  const formOf: Record<string, (request: FastifyRequest) => Promise<unknown>> = {
    requeue: (request) => perform(context, request, requeueEvent, outbox),
    discard: (request) => perform(context, request, discardEvent, outbox),
    'settle-done': (request) => perform(context, request, settleEvent, outbox, { as: 'done' }),
    'settle-not-done': (request) => perform(context, request, settleEvent, outbox, { as: 'not-done' }),
    ask: (request) => perform(context, request, askVendor, outbox),
  };

  app.post('/console/events/:id/:act', async (request, reply) => {
    const { id: eventId = '', act = '' } = paramsOf(request);
    const form = Object.hasOwn(formOf, act) ? formOf[act] : undefined;
    if (!form) throw new Problem('not-found');
    try {
      await form(request);
      return context.redirect(reply, `/console/events/${eventId}`);
    } catch (error) {
      if (!(error instanceof WrongState)) throw error;
      const page = await movedOn(context.visitor(request), eventId, error);
      return context.page(request, reply, page);
    }
  });

  /**
   * Another person was faster, or the state has moved on: the page says who acted and when, and shows the state
   * as it is now.
   */
  async function movedOn(
    visitor: Visitor,
    eventId: string,
    { currentStatus }: WrongState,
  ): Promise<PageOptions> {
    const { words: w } = visitor;
    const [latest] = (await listActions(database, undefined, { type: 'event', id: eventId })).rows.filter(
      (row) => row.verb !== 'ask',
    );
    const page = await bodyOf(visitor, eventId, false);
    const note = html`<p class="note bad" role="alert">${w.alreadyDone} ${currentStatus}${latest && html` · ${w.handledBy} ${latest.actor} ${w.handledAt} ${clockTime(latest.at)} (${latest.verb})`}</p>`;
    const title = page ? `${w.events} ${eventId}` : eventId;
    return { title, body: html`${note}${page}`, status: 409 };
  }
}
