import type { FastifyInstance } from 'fastify';
import { markKnown, unmarkKnown } from '../../alerts/known.js';
import { Problem } from '../../base/problems.js';
import { id } from '../../http/schemas.js';
import type { ConsoleContext } from '../context.js';
import { idOf, paramsOf } from '../request.js';
import { causePage } from './page.js';
import { readCause } from './read.js';

export function causeRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database, reading } = context;

  app.get('/console/causes/:id', async (request, reply) => {
    const visitor = context.visitor(request);
    const id = idOf(request);
    const view = id === null ? null : await readCause(reading, id);
    if (!view) throw new Problem('not-found', { detail: visitor.words.notFound });
    return context.page(request, reply, {
      title: `${visitor.words.cause} ${view.group.id}`,
      body: causePage(visitor, view),
    });
  });

  app.post('/console/causes/:id/:act', async (request, reply) => {
    const { id: of = '', act: verb } = paramsOf(request);
    const act = context.act(request, null);
    if (!id.safeParse(of).success || (verb !== 'know' && verb !== 'unknow')) throw new Problem('not-found');
    const reason = context.reasonOf(request);
    const result =
      verb === 'know'
        ? await markKnown(database, of, { ...act, reason })
        : await unmarkKnown(database, of, { ...act, reason });
    if (result.kind === 'not-found') throw new Problem('not-found');
    if (result.kind === 'conflict')
      throw new Problem('cause-not-open', { more: { currentStatus: result.status } });
    return context.redirect(reply, `/console/causes/${of}`);
  });
}
