import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import { id } from '../../http/schemas.js';
import { reveal } from '../../orders/reveal.js';
import { readTimeline } from '../../orders/timeline.js';
import { whyOrder } from '../../orders/why.js';
import type { ConsoleContext } from '../context.js';
import { paramsOf } from '../request.js';
import { orderPage } from './page.js';

export function orderRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;

  app.get('/console/orders/:id', async (request, reply) => {
    const wanted = paramsOf(request).id ?? '';
    if (!id.safeParse(wanted).success) throw new Problem('not-found');
    const [story, reasons, now] = await Promise.all([
      readTimeline(reading, wanted),
      whyOrder(reading, context.outbox.registry, wanted),
      reading.now(),
    ]);
    const visitor = context.visitor(request);
    return context.page(
      request,
      reply,
      `${visitor.words.order} ${story.order.orderNo}`,
      orderPage(visitor, story, reasons, now),
    );
  });

  app.post('/console/orders/:id/reveal', async (request, reply) => {
    const wanted = paramsOf(request).id ?? '';
    const act = context.act(request, null);
    if (!id.safeParse(wanted).success) throw new Problem('not-found');
    const person = await reveal(database, wanted, act);
    const [story, reasons, now] = await Promise.all([
      readTimeline(reading, wanted),
      whyOrder(reading, context.outbox.registry, wanted),
      reading.now(),
    ]);
    const visitor = context.visitor(request);
    return context.page(
      request,
      reply,
      `${visitor.words.order} ${story.order.orderNo}`,
      orderPage(visitor, story, reasons, now, person),
      { refreshS: 0 },
    );
  });
}
