import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import { forgetCause, knowCause } from '../../operate/acts/controls.js';
import type { ConsoleContext } from '../context.js';
import { perform } from '../perform.js';
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

  const formOf: Record<string, typeof knowCause> = { know: knowCause, unknow: forgetCause };
  app.post('/console/causes/:id/:act', async (request, reply) => {
    const { id: causeId = '', act = '' } = paramsOf(request);
    const form = Object.hasOwn(formOf, act) ? formOf[act] : undefined;
    if (!form) throw new Problem('not-found');
    await perform(context, request, form, { database });
    return context.redirect(reply, `/console/causes/${causeId}`);
  });
}
