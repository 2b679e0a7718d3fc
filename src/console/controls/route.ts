import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { pauseClaims, resumeClaims } from '../../operate/acts/controls.js';
import { heartbeats } from '../../operate/health.js';
import { activePauses } from '../../operate/pause.js';
import type { ConsoleContext } from '../context.js';
import { perform } from '../perform.js';
import { controlsPage } from './page.js';

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
    await perform(context, request, pauseClaims, outbox);
    return context.redirect(reply, back.parse((request.body as { back?: unknown }).back));
  });

  app.post('/console/controls/resume', async (request, reply) => {
    await perform(context, request, resumeClaims, { database });
    return context.redirect(reply, '/console/controls');
  });
}
