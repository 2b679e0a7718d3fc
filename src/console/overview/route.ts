import type { FastifyInstance } from 'fastify';
import { countEvents } from '../../operate/list.js';
import { readOverview } from '../../operate/overview.js';
import { heartbeats } from '../../outbox/heartbeat.js';
import type { ConsoleContext } from '../context.js';
import { nextRunOf } from '../parts/next-run.js';
import { overviewPage } from './page.js';

/** What took long to read is shown for longer: looking takes at most a tenth of a connection, however many people look. */
const SHARED_TIMES = 10;
const SHARED_MAX_MS = 5_000;

export function overviewRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const types = context.outbox.registry.all().map((handler) => handler.definition.type);
  let shared: { untilMs: number; data: ReturnType<typeof read> } | undefined;

  async function read() {
    const database = context.reading;
    const [overview, processes] = await Promise.all([readOverview(database, types), heartbeats(database)]);
    const held = new Map<string, number>();
    for (const { worker, state } of processes)
      if (state === 'lost') held.set(worker, await countEvents(database, { state: 'running', worker }));
    return { overview, processes, held };
  }

  function readShared(): ReturnType<typeof read> {
    const startedMs = performance.now();
    const mine = { untilMs: Number.POSITIVE_INFINITY, data: read() };
    const ends = (): void => {
      mine.untilMs =
        performance.now() + Math.min(SHARED_MAX_MS, SHARED_TIMES * (performance.now() - startedMs));
    };
    mine.data.then(ends, () => {
      mine.untilMs = 0;
    });
    shared = mine;
    return mine.data;
  }

  app.get('/console/', async (request, reply) => {
    const { overview, processes, held } = await (shared && performance.now() < shared.untilMs
      ? shared.data
      : readShared());
    const visitor = context.visitor(request);
    const { schedulerCron, batchSize } = context.options;
    const body = overviewPage(visitor, overview, processes, held, {
      nextSweepAt: nextRunOf(schedulerCron),
      batchSize,
    });
    return context.page(request, reply, visitor.words.overview, body, { live: true });
  });
}
