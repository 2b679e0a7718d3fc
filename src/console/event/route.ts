import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import { id } from '../../http/schemas.js';
import { ask } from '../../operate/ask.js';
import { type Act, listActions } from '../../operate/audit.js';
import { discard } from '../../operate/discard.js';
import { requeue, settleAsDone, settleAsNotDone } from '../../operate/requeue.js';
import { readEvent } from '../../orders/event-story.js';
import type { ConsoleContext } from '../context.js';
import { type Html, html } from '../html.js';
import { clockTime } from '../parts/text.js';
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

  const deeds = {
    requeue: (of: string, act: Act) => requeue(database, of, act),
    discard: (of: string, act: Act) => discard(database, outbox.registry, of, act),
    'settle-done': (of: string, act: Act) => settleAsDone(database, outbox.registry, of, act),
    'settle-not-done': (of: string, act: Act) => settleAsNotDone(database, of, act),
  } as const;

  app.post('/console/events/:id/:act', async (request, reply) => {
    const { id: of = '', act: verb = '' } = paramsOf(request);
    const who = context.act(request, null);
    if (!id.safeParse(of).success) throw new Problem('not-found');
    if (verb === 'ask') {
      const asked = await ask(database, outbox.registry, of, who);
      if (asked.kind !== 'asked')
        throw new Problem(asked.kind === 'not-found' ? 'not-found' : 'event-not-askable');
      return context.redirect(reply, `/console/events/${of}`);
    }
    const deed = Object.hasOwn(deeds, verb) ? deeds[verb as keyof typeof deeds] : null;
    if (!deed) throw new Problem('not-found');
    const result = await deed(of, { ...who, reason: context.reasonOf(request) });
    if (result.kind === 'done') return context.redirect(reply, `/console/events/${of}`);
    if (result.kind === 'not-found') throw new Problem('not-found');
    if (result.kind === 'refused')
      throw new Problem('event-not-discardable', {
        detail: result.why,
        more: { currentStatus: result.status },
      });
    // Another person was faster, or the state has moved on: the page says who acted and when, and shows the
    // state as it is now.
    const visitor = context.visitor(request);
    const { words: w } = visitor;
    const [latest] = (await listActions(database, undefined, { type: 'event', id: of })).rows.filter(
      (row) => row.verb !== 'ask',
    );
    const page = await bodyOf(visitor, of, false);
    const note = html`<p class="note bad" role="alert">${w.alreadyDone} ${result.status}${latest && html` · ${w.handledBy} ${latest.actor} ${w.handledAt} ${clockTime(latest.at)} (${latest.verb})`}</p>`;
    const title = page ? `${w.events} ${of}` : of;
    return context.page(request, reply, { title, body: html`${note}${page}`, status: 409 });
  });
}
