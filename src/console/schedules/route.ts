import type { FastifyInstance } from 'fastify';
import { businessDay } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import { fromSqlInstantOrNull, sql } from '../../database/sql.js';
import { audit } from '../../operate/audit.js';
import { heartbeats } from '../../outbox/heartbeat.js';
import { record } from '../../outbox/record.js';
import { recurrenceOf } from '../../outbox/recurring.js';
import { wakeAfterCommit } from '../../outbox/wake.js';
import type { ConsoleContext } from '../context.js';
import { nextRunOf } from '../parts/next-run.js';
import { paramsOf } from '../request.js';
import { runNow, type Schedule, type ScheduleName, schedulesPage } from './page.js';

/** Minutes and seconds differ; both recur hourly (scheduler-part.ts). */
const HOUR_MS = 3_600_000;

const DAY_MS = 86_400_000;

const DAYS_COMPARED = 3;

export function schedulesRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;
  const { recurring } = context.options;

  app.get('/console/schedules', async (request, reply) => {
    const [processes, books, house, now, guards] = await Promise.all([
      heartbeats(reading),
      recurrenceOf(reading, recurring.books.definition.type),
      recurrenceOf(reading, recurring.housekeeping.definition.type),
      reading.now(),
      reading.query<{ queue_at: unknown; n: number | string }>(
        sql`SELECT MIN(queue_at) AS queue_at, COUNT(*) AS n FROM (SELECT queue_at FROM outbox_event WHERE type = ${recurring.unpaid.type} AND status = 'pending' AND settled_at IS NULL LIMIT 10001) AS guards`,
      ),
    ]);
    const alive = processes.filter(({ kind, state }) => kind !== 'api' && state === 'alive');
    const upSince = Math.min(
      ...processes.filter(({ kind }) => kind !== 'api').map(({ startedAt }) => startedAt.getTime()),
      now.getTime(),
    );
    const expected = Math.min(24, Math.floor((now.getTime() - upSince) / HOUR_MS)); // what no process could have missed does not count
    const lastSweep = alive
      .filter(({ sweptAt }) => sweptAt !== null)
      .sort((a, b) => Number(b.sweptAt) - Number(a.sweptAt))[0];
    const hourly = (
      name: ScheduleName,
      cron: string,
      recurrence: Awaited<ReturnType<typeof recurrenceOf>>,
      each: number,
    ): Schedule => ({
      name,
      cron,
      ...recurrence,
      nextAt: nextRunOf(cron),
      missed: Math.max(0, expected - Math.ceil(recurrence.recorded / each)),
    });
    const schedules: Schedule[] = [
      {
        name: 'sweep',
        cron: context.options.schedulerCron,
        lastAt: lastSweep?.sweptAt ?? null,
        lastMs: lastSweep?.sweepMs ?? null,
        lastEventId: null,
        nextAt: alive.length > 0 ? nextRunOf(context.options.schedulerCron) : null,
        missed: null,
        waiting: null,
      },
      hourly('books', recurring.books.cron, books, DAYS_COMPARED),
      hourly('housekeeping', recurring.housekeeping.cron, house, 1),
      {
        name: 'unpaid',
        cron: null,
        lastAt: null,
        lastMs: null,
        lastEventId: null,
        nextAt: fromSqlInstantOrNull(guards[0]?.queue_at),
        missed: null,
        waiting: Number(guards[0]?.n),
      },
    ];
    const visitor = context.visitor(request);
    return context.page(request, reply, visitor.words.schedules, schedulesPage(visitor, schedules, now));
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
