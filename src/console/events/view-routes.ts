import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import { shortText } from '../../http/schemas.js';
import type { ConsoleContext } from '../context.js';
import { idOf } from '../request.js';
import { addressOf, parseAddress } from './filter.js';
import { removeView, saveView } from './views.js';

const form = z.object({ name: shortText(64), query: z.string().max(2_000) });

/** Saved filters are for everybody: each has a name of its own. */
export function viewRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database } = context;

  app.post('/console/views', async (request, reply) => {
    const act = context.act(request, null);
    const { words: w } = context.visitor(request);
    const parsed = form.safeParse(request.body);
    if (!parsed.success) throw new Problem('validation', { detail: w.viewName });
    const { name } = parsed.data;
    const address = addressOf(parseAddress(parsed.data.query));
    const isSaved = await saveView(database, { name, query: address.split('?')[1] ?? '' }, act);
    if (!isSaved) throw new Problem('validation', { detail: `${w.viewName}: ${name}` });
    return context.redirect(reply, address);
  });

  app.post('/console/views/:id/remove', async (request, reply) => {
    const act = context.act(request, null);
    const id = idOf(request);
    if (id === null || !(await removeView(database, id, act))) throw new Problem('not-found');
    return context.redirect(reply, '/console/events');
  });
}
