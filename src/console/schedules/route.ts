import type { FastifyInstance } from 'fastify';
import { businessDay } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import { audit } from '../../operate/audit.js';
import { record } from '../../outbox/record.js';
import { wakeAfterCommit } from '../../outbox/wake.js';
import type { ConsoleContext } from '../context.js';
import { paramsOf } from '../request.js';
import { runNow, schedulesPage } from './page.js';
import { readSchedules } from './read.js';

const DAY_MS = 86_400_000;

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
    const act = context.act(request, null);
    const name = runNow.find((one) => one === paramsOf(request).name);
    if (!name) throw new Problem('not-found');
    const nowMs = (await database.now()).getTime();
    const slot = `now-${new Date(nowMs).toISOString().slice(0, 19)}`; // two clicks within a second are one
    await database.transaction(async (tx) => {
      if (name === 'books')
        for (const offset of [-1, 0, 1])
          await record(tx, recurring.books.definition, { day: businessDay(nowMs + offset * DAY_MS), slot });
      if (name === 'housekeeping') await record(tx, recurring.housekeeping.definition, { slot });
      await audit(tx, act, {
        verb: 'run-now',
        targetType: 'schedule',
        targetId: name,
        subjectId: null,
        before: {},
        after: { slot },
      });
      wakeAfterCommit(tx);
    });
    return context.redirect(reply, '/console/schedules');
  });
}
