import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import { revealDiner } from '../../operate/acts/orders.js';
import { readTimeline } from '../../orders/timeline.js';
import { whyOrder } from '../../orders/why.js';
import type { ConsoleContext } from '../context.js';
import type { PageOptions } from '../page.js';
import { perform } from '../perform.js';
import { idOf, paramsOf } from '../request.js';
import type { Visitor } from '../session.js';
import { orderPage, type Person } from './page.js';

export function orderRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database, outbox } = context;

  app.get('/console/orders/:id', async (request, reply) => {
    const id = idOf(request);
    if (id === null) throw new Problem('not-found');
    return context.page(request, reply, await pageOf(context.visitor(request), id, null));
  });

  app.post('/console/orders/:id/reveal', async (request, reply) => {
    const person = await perform(context, request, revealDiner, { database });
    const page = await pageOf(context.visitor(request), paramsOf(request).id ?? '', person);
    return context.page(request, reply, { ...page, refreshS: 0 });
  });

  async function pageOf(visitor: Visitor, id: string, person: Person | null): Promise<PageOptions> {
    const [story, why, now] = await Promise.all([
      readTimeline(reading, id),
      whyOrder(reading, outbox.registry, id),
      reading.now(),
    ]);
    const title = `${visitor.words.order} ${story.order.orderNo}`;
    return { title, body: orderPage(visitor, { story, why, person, now }) };
  }
}
