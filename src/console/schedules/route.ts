import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import { runScheduleNow } from '../../operate/acts/controls.js';
import { runNowNames } from '../../operate/run-now.js';
import type { ConsoleContext } from '../context.js';
import { perform } from '../perform.js';
import { paramsOf } from '../request.js';
import { schedulesPage } from './page.js';
import { readSchedules } from './read.js';

export function schedulesRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;
  const { recurring } = context.options;

  app.get('/console/schedules', async (request, reply) => {
    const now = await reading.now();
    const schedules = await readSchedules(context, now);
    const visitor = context.visitor(request);
    const body = schedulesPage(visitor, schedules, now);
    return context.page(request, reply, { title: visitor.words.schedules, body });
  });

  app.post('/console/schedules/:name/run', async (request, reply) => {
    const name = runNowNames.find((known) => known === paramsOf(request).name);
    if (!name) throw new Problem('not-found');
    const needs = {
      database,
      recurring: { books: recurring.books.definition, housekeeping: recurring.housekeeping.definition },
    };
    await perform(context, request, runScheduleNow, needs, { name });
    return context.redirect(reply, '/console/schedules');
  });
}
