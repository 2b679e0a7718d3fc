import type { FastifyInstance } from 'fastify';
import { listGroups } from '../../alerts/group.js';
import type { ConsoleContext } from '../context.js';
import { causesPage } from './page.js';

export function causesRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading } = context;

  app.get('/console/causes', async (request, reply) => {
    const [groups, now] = await Promise.all([listGroups(reading), reading.now()]);
    const visitor = context.visitor(request);
    return context.page(request, reply, {
      title: visitor.words.causes,
      body: causesPage(visitor, groups, now),
    });
  });
}
