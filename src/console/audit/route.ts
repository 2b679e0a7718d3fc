import type { FastifyInstance } from 'fastify';
import { listActions } from '../../operate/audit.js';
import type { ConsoleContext } from '../context.js';
import { optionalId, queryOf } from '../request.js';
import { auditPage } from './page.js';

export function auditRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading } = context;

  app.get('/console/audit', async (request, reply) => {
    const beforeId = optionalId.parse(queryOf(request).beforeId);
    const [listed, now] = await Promise.all([listActions(reading, beforeId), reading.now()]);
    const visitor = context.visitor(request);
    return context.page(request, reply, {
      title: visitor.words.audit,
      body: auditPage(visitor, listed, now),
    });
  });
}
