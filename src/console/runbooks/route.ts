import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problems.js';
import type { ConsoleContext } from '../context.js';
import { html } from '../html.js';
import { paramsOf } from '../request.js';
import { runbookOf } from './runbooks.js';

const runbooks = new Set(Object.values(runbookOf));

export function runbookRoutes(app: FastifyInstance, context: ConsoleContext): void {
  app.get('/console/runbooks/:name', async (request, reply) => {
    const name = paramsOf(request).name ?? '';
    if (!runbooks.has(name)) throw new Problem('not-found');
    const text = readFileSync(new URL(`../../../docs/runbooks/${name}.md`, import.meta.url), 'utf8');
    return context.page(request, reply, {
      title: name,
      body: html`<pre tabindex="0">${text}</pre>`,
      refreshS: 0,
    });
  });
}
