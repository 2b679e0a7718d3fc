import type { FastifyInstance } from 'fastify';
import { countEvents, listEvents, parseCursor } from '../../operate/list.js';
import type { ConsoleContext } from '../context.js';
import { html } from '../html.js';
import { bulkForm } from '../parts/bulk-form.js';
import { queryOf } from '../request.js';
import { exportRoute } from './export-route.js';
import { filterOf, parseEventsQuery } from './filter.js';
import { eventsPage } from './page.js';
import { viewRoutes } from './view-routes.js';
import { listViews } from './views.js';

const PAGE = 50;

export function eventsRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, outbox } = context;

  app.get('/console/events', async (request, reply) => {
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
    const handlers = outbox.registry.all();
    const view = { query, listed, total, views, handlers, isFirst: cursor === undefined, now };
    const visitor = context.visitor(request);
    const body = html`${eventsPage(visitor, view)}${bulkForm(visitor, query)}`;
    return context.page(request, reply, { title: visitor.words.events, body });
  });

  exportRoute(app, context);
  viewRoutes(app, context);
}
