import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { toRfc3339 } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import { executeBulk, previewBulk, stopBulk } from '../../operate/acts/batches.js';
import { type Batch, batchItems, batchStatuses, batchVerbs, readBatch } from '../../operate/batch/batch.js';
import type { Preview } from '../../operate/batch/preview.js';
import { id } from '../schemas.js';
import { serveAct } from '../serve-act.js';

const batchSchema = z
  .object({
    id: z.string(),
    verb: z.enum(batchVerbs),
    filter: z.object({ type: z.string().optional(), cause: z.string().optional() }),
    status: z.enum(batchStatuses),
    total: z.number().int(),
    done: z.number().int(),
    skipped: z.number().int(),
    ratePerSecond: z.number().int(),
    reason: z.string(),
    actor: z.string(),
    executor: z.string().nullable(),
    why: z.string().nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
  })
  .meta({ id: 'EventBatch' });
const itemSchema = z.object({
  position: z.number().int(),
  eventId: z.string(),
  result: z.enum(['done', 'skipped']).nullable(),
  why: z.string().nullable(),
});
const ITEMS_MAX = 500;

/** Preview → token → execute exactly that set, at a rate; it can be stopped, and says what became of each event. */
export const eventBatchRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  const previewSchema = batchSchema.extend({
    token: z.string(),
    groups: z.array(z.object({ type: z.string(), cause: z.string().nullable(), count: z.number().int() })),
    oldestAt: z.string().nullable(),
    newestAt: z.string().nullable(),
    samples: z.array(z.string()),
    expectedSeconds: z.number().int(),
    cut: z.boolean(),
    excludedPending: z.number().int(),
  });

  const tables = () => ({ database });
  serveAct(app, previewBulk, tables, { status: 201, schema: previewSchema, view: previewView });
  serveAct(app, executeBulk, tables, { status: 202, schema: batchSchema, view });
  serveAct(app, stopBulk, tables, { schema: batchSchema, view });

  const query = z.object({
    after: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(ITEMS_MAX).default(100),
  });
  app.get(
    '/v1/event-batches/:id',
    {
      schema: {
        summary: 'A batch and what became of each event',
        params: z.object({ id }),
        querystring: query,
        response: { 200: batchSchema.extend({ items: z.array(itemSchema) }) },
      },
    },
    async (request) => {
      const batch = await readBatch(database, request.params.id);
      if (!batch) throw new Problem('not-found', { detail: 'there is no such batch' });
      const items = await batchItems(database, batch.id, request.query.after, request.query.limit);
      return { ...view(batch), items: items.map((item) => ({ ...item })) };
    },
  );
};

function previewView({ batch, expectedS, oldestAt, newestAt, ...preview }: Preview) {
  const at = (instant: Date | null): string | null => (instant ? toRfc3339(instant) : null);
  return {
    ...view(batch),
    ...preview,
    oldestAt: at(oldestAt),
    newestAt: at(newestAt),
    expectedSeconds: expectedS,
  };
}

function view({ perSecond, createdAt, startedAt, endedAt, filter, executorRole: _role, ...batch }: Batch) {
  return {
    ...batch,
    filter: { ...filter },
    ratePerSecond: perSecond,
    createdAt: toRfc3339(createdAt),
    startedAt: startedAt ? toRfc3339(startedAt) : null,
    endedAt: endedAt ? toRfc3339(endedAt) : null,
  };
}
