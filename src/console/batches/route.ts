import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { may } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import { id, shortText } from '../../http/schemas.js';
import {
  type BatchResult,
  batchItems,
  batchVerbs,
  executeBatch,
  previewBatch,
  RATE_MAX,
  readBatch,
  stopBatch,
} from '../../operate/batch.js';
import type { ConsoleContext } from '../context.js';
import { clockTime } from '../parts/text.js';
import { idOf, paramsOf } from '../request.js';
import type { Visitor } from '../session.js';
import { batchPage } from './page.js';
import { previewPage } from './preview.js';

const ITEMS_SHOWN = 200;

/** The second person to execute a batch is told who was faster. */
function refusalOf({ words: w }: Visitor, { why, batch }: Extract<BatchResult, { kind: 'refused' }>): string {
  if (why !== 'status' || batch.executor === null || batch.startedAt === null) return why;
  return `${w.alreadyDone} ${batch.status} · ${w.handledBy} ${batch.executor} ${w.handledAt} ${clockTime(batch.startedAt)}`;
}

const wanted = z
  .object({
    verb: z.enum(batchVerbs),
    type: shortText(64).optional(),
    cause: shortText(191).optional(),
    ratePerSecond: z.coerce.number().int().min(1).max(RATE_MAX),
  })
  .refine(({ type, cause }) => type !== undefined || cause !== undefined);

export function batchRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;

  app.post('/console/batches', async (request, reply) => {
    const act = { ...context.act(request, null), reason: context.reasonOf(request) };
    const parsed = wanted.safeParse(request.body);
    if (!parsed.success) throw new Problem('validation');
    const { verb, type, cause, ratePerSecond } = parsed.data;
    const preview = await previewBatch(database, verb, { type, cause }, ratePerSecond, act);
    const visitor = context.visitor(request);
    const body = previewPage(visitor, preview, await reading.now());
    return context.page(request, reply, { title: visitor.words.preview, body, refreshS: 0 });
  });

  app.post('/console/batches/:id/:act', async (request, reply) => {
    const { id: of = '', act: verb } = paramsOf(request);
    const act = context.act(request, null);
    const { token = '', count } = (request.body ?? {}) as { token?: string; count?: string };
    if (!id.safeParse(of).success || (verb !== 'execute' && verb !== 'stop')) throw new Problem('not-found');
    const result =
      verb === 'execute'
        ? await executeBatch(
            database,
            of,
            {
              token,
              count: Number(count),
              alone: may(context.visitor(request).caller.role, 'act-on-many-alone'),
            },
            act,
          )
        : await stopBatch(database, of, act);
    if (result.kind === 'not-found') throw new Problem('not-found');
    if (result.kind === 'refused')
      throw new Problem('batch-refused', { detail: refusalOf(context.visitor(request), result) });
    return context.redirect(reply, `/console/batches/${of}`);
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
