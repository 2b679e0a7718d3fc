import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problems.js';
import { BoxOrder } from '../../entities/box-order.js';
import { OutboxEvent } from '../../entities/outbox-event.js';
import { id } from '../../http/schemas.js';
import { ask } from '../../operate/ask.js';
import { type Act, listActions } from '../../operate/audit.js';
import { discard, discardRefusal } from '../../operate/discard.js';
import { countEvents } from '../../operate/list.js';
import { requeue, settleAsDone, settleAsNotDone } from '../../operate/requeue.js';
import { why } from '../../operate/why.js';
import { readEvent } from '../../orders/event-story.js';
import { orderView } from '../../orders/view.js';
import type { ConsoleContext } from '../context.js';
import { type Html, html } from '../html.js';
import { clockTime } from '../parts/text.js';
import { paramsOf, queryOf } from '../request.js';
import { eventPage, goneEvent } from './page.js';
import { groupOfCause, newestEventId } from './read.js';

export function eventRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database, reading, outbox } = context;

  app.get('/console/events/:id', async (request, reply) => {
    const wanted = paramsOf(request).id ?? '';
    const found = await pageOf(request, wanted);
    if (found) return context.page(request, reply, ...found);
    const visitor = context.visitor(request);
    // Ids are given in order: one below the newest was there once.
    if (!id.safeParse(wanted).success || BigInt(wanted) > BigInt(await newestEventId(reading)))
      throw new Problem('not-found', { detail: visitor.words.notFound });
    const { rows } = await listActions(reading, undefined, { type: 'event', id: wanted });
    return context.page(
      request,
      reply,
      `${visitor.words.events} ${wanted}`,
      goneEvent(visitor, rows, await reading.now()),
      { status: 410, refreshS: 0 },
    );
  });

  app.get('/console/events/:id/json', async (request, reply) => {
    const wanted = paramsOf(request).id ?? '';
    const story = id.safeParse(wanted).success ? await readEvent(reading, outbox, wanted) : null;
    if (!story) throw new Problem('not-found');
    return reply
      .header('Content-Disposition', `attachment; filename="event-${wanted}.json"`)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(story, null, 2));
  });

  async function pageOf(request: FastifyRequest, wanted: string): Promise<[string, Html] | null> {
    const visitor = context.visitor(request);
    const event = id.safeParse(wanted).success
      ? await reading.manager.findOneBy(OutboxEvent, { id: wanted })
      : null;
    const story = event ? await readEvent(reading, outbox, wanted) : null;
    if (!event || !story) return null;
    const order = event.subjectId ? await reading.manager.findOneBy(BoxOrder, { id: event.subjectId }) : null;
    const [reason, notDiscardable, sameCause, group, acts, now] = await Promise.all([
      why(reading, outbox.registry, event),
      discardRefusal(reading, outbox.registry, event),
      event.cause ? countEvents(reading, { state: 'errored', cause: event.cause }) : 0,
      event.cause ? groupOfCause(reading, event.cause) : null,
      listActions(reading, undefined, { type: 'event', id: wanted }),
      reading.now(),
    ]);
    const { traceLink, logLink } = context.options;
    const body = eventPage(visitor, {
      event,
      story,
      why: reason,
      notDiscardable,
      order: order ? orderView(order) : null,
      sameCause,
      group,
      acts: acts.rows,
      handler: outbox.registry.find(event.type),
      compare: queryOf(request).compare === '1',
      links: { trace: traceLink, log: logLink },
      now,
    });
    return [`${visitor.words.events} ${wanted}`, body];
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
    // Somebody was faster, or the state has moved on: say who and when, and show what is so now.
    const { words: w } = context.visitor(request);
    const [latest] = (await listActions(database, undefined, { type: 'event', id: of })).rows.filter(
      (row) => row.verb !== 'ask',
    );
    const [title, body] = (await pageOf(request, of)) ?? [of, html``];
    const note = html`<p class="note bad" role="alert">${w.alreadyDone} ${result.status}${latest && html` · ${w.handledBy} ${latest.actor} ${w.handledAt} ${clockTime(latest.at)} (${latest.verb})`}</p>`;
    return context.page(request, reply, title, html`${note}${body}`, { status: 409 });
  });
}
