import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import { id, shortText } from '../../http/schemas.js';
import { countEvents, listEvents, parseCursor } from '../../operate/list.js';
import type { ConsoleContext } from '../context.js';
import { html } from '../html.js';
import { bulkForm } from '../parts/bulk-form.js';
import { paramsOf, queryOf } from '../request.js';
import { exportEvents, exportFormats } from './export.js';
import { addressOf, filterOf, parseEventsQuery } from './filter.js';
import { eventsPage } from './page.js';
import { listViews, removeView, saveView } from './views.js';

const PAGE = 50;

export function eventsRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database, reading, outbox } = context;

  app.get('/console/events', async (request, reply) => {
    const visitor = context.visitor(request);
    const given = queryOf(request);
    const query = parseEventsQuery(given);
    const now = await reading.now();
    const filter = filterOf(query, outbox.registry, now);
    const cursor = given.before === undefined ? undefined : parseCursor(given.before);
    const [listed, total, views] = await Promise.all([
      listEvents(reading, filter, PAGE, cursor),
      cursor || !query.state ? null : countEvents(reading, filter),
      listViews(reading),
    ]);
    const body = html`${eventsPage(visitor, { query, listed, total, views, handlers: outbox.registry.all(), isFirst: cursor === undefined, now })}${bulkForm(visitor, query)}`;
    return context.page(request, reply, visitor.words.events, body);
  });

  app.post('/console/events/export', async (request, reply) => {
    const act = context.act(request, null);
    const { format, query } = z
      .object({ format: z.enum(exportFormats), query: z.string().max(2_000) })
      .parse(request.body);
    const filter = filterOf(
      parseEventsQuery(Object.fromEntries(new URLSearchParams(query))),
      outbox.registry,
      await reading.now(),
    );
    const file = await exportEvents(reading, database, filter, query, format, act);
    return reply
      .header('Content-Disposition', `attachment; filename="events.${format}"`)
      .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
      .send(file);
  });

  app.post('/console/views', async (request, reply) => {
    const act = context.act(request, null);
    const parsed = z.object({ name: shortText(64), query: z.string().max(2_000) }).safeParse(request.body);
    if (!parsed.success) throw new Problem('validation', { detail: context.visitor(request).words.viewName });
    const query = parseEventsQuery(Object.fromEntries(new URLSearchParams(parsed.data.query)));
    const saved = await saveView(
      database,
      { name: parsed.data.name, query: addressOf(query).split('?')[1] ?? '' },
      act,
    );
    if (!saved)
      throw new Problem('validation', {
        detail: `${context.visitor(request).words.viewName}: ${parsed.data.name}`,
      });
    return context.redirect(reply, addressOf(query));
  });
  app.post('/console/views/:id/remove', async (request, reply) => {
    const act = context.act(request, null);
    const { id: of } = paramsOf(request);
    if (!id.safeParse(of).success || !(await removeView(database, of ?? '', act)))
      throw new Problem('not-found');
    return context.redirect(reply, '/console/events');
  });
}
