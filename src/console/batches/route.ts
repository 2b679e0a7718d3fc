import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problems.js';
import { executeBulk, previewBulk, stopBulk } from '../../operate/acts/batches.js';
import { batchItems, readBatch } from '../../operate/batch/batch.js';
import { BatchRefused } from '../../operate/batch/refused.js';
import type { ConsoleContext } from '../context.js';
import { clockTime } from '../parts/text.js';
import { perform } from '../perform.js';
import { idOf, paramsOf } from '../request.js';
import type { Visitor } from '../session.js';
import { batchPage } from './page.js';
import { previewPage } from './preview.js';

const ITEMS_SHOWN = 200;

/** The second person to execute a batch is told who was faster. */
function refusalOf({ words: w }: Visitor, { why, batch }: BatchRefused): string {
  if (why !== 'status' || batch.executor === null || batch.startedAt === null) return why;
  return `${w.alreadyDone} ${batch.status} · ${w.handledBy} ${batch.executor} ${w.handledAt} ${clockTime(batch.startedAt)}`;
}

export function batchRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;

  app.post('/console/batches', async (request, reply) => {
    const preview = await perform(context, request, previewBulk, { database });
    const visitor = context.visitor(request);
    const body = previewPage(visitor, preview, await reading.now());
    return context.page(request, reply, { title: visitor.words.preview, body, refreshS: 0 });
  });

  const formOf: Record<string, (request: FastifyRequest) => Promise<unknown>> = {
    execute: (request) => perform(context, request, executeBulk, { database }),
    stop: (request) => perform(context, request, stopBulk, { database }),
  };
  app.post('/console/batches/:id/:act', async (request, reply) => {
    const { id: batchId = '', act = '' } = paramsOf(request);
    const form = Object.hasOwn(formOf, act) ? formOf[act] : undefined;
    if (!form) throw new Problem('not-found');
    await form(request).catch((error: unknown) => {
      throw error instanceof BatchRefused
        ? new Problem('batch-refused', { detail: refusalOf(context.visitor(request), error) })
        : error;
    });
    return context.redirect(reply, `/console/batches/${batchId}`);
  });

  app.get('/console/batches/:id', async (request, reply) => {
    const visitor = context.visitor(request);
    const id = idOf(request);
    const batch = id === null ? null : await readBatch(reading, id);
    if (!batch) throw new Problem('not-found', { detail: visitor.words.notFound });
    const [items, now] = await Promise.all([batchItems(reading, batch.id, 0, ITEMS_SHOWN), reading.now()]);
    const title = `${visitor.words.bulk} ${batch.id}`;
    return context.page(request, reply, { title, body: batchPage(visitor, batch, items, now), live: true });
  });
}
