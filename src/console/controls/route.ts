import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import { activePauses, PAUSE_MAX_MS, pause, resume } from '../../operate/pause.js';
import { heartbeats } from '../../outbox/heartbeat.js';
import type { ConsoleContext } from '../context.js';
import { controlsPage } from './page.js';

const scoped = z.object({ scope: z.enum(['type', 'target']), name: z.string().min(1).max(64) });
const minutes = z.coerce
  .number()
  .int()
  .min(1)
  .max(PAUSE_MAX_MS / 60_000);
const back = z
  .string()
  .regex(/^\/console\/events\/\d{1,19}$/)
  .catch('/console/controls');

export function controlsRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database, outbox } = context;

  app.get('/console/controls', async (request, reply) => {
    const [pauses, processes, now] = await Promise.all([
      activePauses(reading),
      heartbeats(reading),
      reading.now(),
    ]);
    const visitor = context.visitor(request);
    const body = controlsPage(visitor, { registry: outbox.registry, pauses, processes, now });
    return context.page(request, reply, { title: visitor.words.controls, body });
  });

  app.post('/console/controls/pause', async (request, reply) => {
    const act = { ...context.act(request, null), reason: context.reasonOf(request) };
    const parsed = scoped.extend({ minutes }).safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const { scope, name } = parsed.data;
    const result = await pause(
      database,
      outbox.registry,
      { scope, name, forMs: parsed.data.minutes * 60_000 },
      act,
    );
    if (result.kind !== 'done')
      throw new Problem(result.kind === 'conflict' ? 'already-paused' : 'not-found');
    return context.redirect(reply, back.parse((request.body as { back?: unknown }).back));
  });

  app.post('/console/controls/resume', async (request, reply) => {
    const act = context.act(request, null);
    const parsed = scoped.safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const result = await resume(database, parsed.data, act);
    if (result.kind !== 'done') throw new Problem('not-found');
    return context.redirect(reply, '/console/controls');
  });
}
