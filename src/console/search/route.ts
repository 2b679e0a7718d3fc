import type { FastifyInstance } from 'fastify';
import type { ConsoleContext } from '../context.js';
import { queryOf } from '../request.js';
import { searchPage } from './page.js';
import { search } from './search.js';

export function searchRoutes(app: FastifyInstance, context: ConsoleContext): void {
  app.get('/console/search', async (request, reply) => {
    const text = (queryOf(request).q ?? '').trim().slice(0, 128);
    const hits = text === '' ? [] : await search(context.reading, text);
    const [only] = hits;
    if (only && hits.length === 1) return context.redirect(reply, `/console/${only.kind}s/${only.id}`);
    const visitor = context.visitor(request);
    const body = searchPage(visitor, text, hits);
    return context.page(request, reply, { title: visitor.words.search, body, refreshS: 0 });
  });
}
