import type { FastifyInstance } from 'fastify';
import type { ConsoleContext } from '../context.js';
import { nextRunOf } from '../parts/next-run.js';
import { overviewPage } from './page.js';
import { OverviewReader } from './read.js';

export function overviewRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const types = context.outbox.registry.all().map((handler) => handler.definition.type);
  const reader = new OverviewReader(context.reading, types);

  app.get('/console/', async (request, reply) => {
    const { schedulerCron, batchSize } = context.options;
    const view = { ...(await reader.read()), nextSweepAt: nextRunOf(schedulerCron), batchSize };
    const visitor = context.visitor(request);
    const body = overviewPage(visitor, view);
    return context.page(request, reply, { title: visitor.words.overview, body, live: true });
  });
}
