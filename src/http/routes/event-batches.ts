import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { may } from '../../base/caller.js';
import { toRfc3339 } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';
import {
  type Batch,
  type BatchResult,
  batchItems,
  batchStatuses,
  batchVerbs,
  executeBatch,
  previewBatch,
  RATE_MAX,
  readBatch,
  stopBatch,
} from '../../operate/batch.js';
import { actOf } from '../request.js';
import { id, reason, shortText } from '../schemas.js';

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
const DEFAULT_RATE = 5;
const ITEMS_MAX = 500;

/** Preview → token → execute exactly that set, at a rate; stoppable; what became of each event. */
export const eventBatchRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  const wanted = z
    .object({
      verb: z.enum(batchVerbs),
      type: shortText(64).optional(),
      cause: shortText(191).optional(),
      ratePerSecond: z.number().int().min(1).max(RATE_MAX).default(DEFAULT_RATE),
      reason,
    })
    .refine(({ type, cause }) => type !== undefined || cause !== undefined, {
      path: ['type'],
      message: 'name a type or a cause: not everything at once',
    });
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

  app.post(
    '/v1/event-batches',
    {
      schema: {
        summary:
          'Preview a bulk act: freezes the errored events that the filter names, and does nothing to them',
        body: wanted,
        response: { 201: previewSchema },
      },
    },
    async (request, reply) => {
      const { verb, type, cause, ratePerSecond, reason: because } = request.body;
      const preview = await previewBatch(database, verb, { type, cause }, ratePerSecond, {
        ...actOf(request, because),
        reason: because,
      });
      const at = (instant: Date | null): string | null => (instant ? toRfc3339(instant) : null);
      return reply.code(201).send({
        ...view(preview.batch),
        token: preview.token,
        groups: preview.groups.map((group) => ({ ...group })),
        oldestAt: at(preview.oldestAt),
        newestAt: at(preview.newestAt),
        samples: [...preview.samples],
        expectedSeconds: preview.expectedS,
        cut: preview.cut,
        excludedPending: preview.excludedPending,
      });
    },
  );

  const params = z.object({ id });
  app.post(
    '/v1/event-batches/:id/execute',
    {
      schema: {
        summary:
          'Carry a previewed set out, the first event alone. Above ten its number must be sent; above a thousand another person, or an admin, must send it',
        params,
        body: z.object({ token: z.string().length(32), count: z.number().int().optional() }),
        response: { 202: batchSchema },
      },
    },
    async (request, reply) =>
      reply
        .code(202)
        .send(
          view(
            unwrap(
              await executeBatch(
                database,
                request.params.id,
                { ...request.body, alone: aloneOf(request) },
                actOf(request, null),
              ),
            ),
          ),
        ),
  );

  app.post(
    '/v1/event-batches/:id/stop',
    { schema: { summary: 'Touch no further event', params, response: { 200: batchSchema } } },
    async (request) => view(unwrap(await stopBatch(database, request.params.id, actOf(request, null)))),
  );

  const query = z.object({
    after: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(ITEMS_MAX).default(100),
  });
  app.get(
    '/v1/event-batches/:id',
    {
      schema: {
        summary: 'A batch and what became of each event',
        params,
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

const aloneOf = (request: FastifyRequest): boolean =>
  request.caller !== null && may(request.caller.role, 'act-on-many-alone');

const refusals: Record<Extract<BatchResult, { kind: 'refused' }>['why'], string> = {
  expired: 'the preview is older than fifteen minutes: make a new one',
  empty: 'there is nothing in it',
  count: 'send the number of its events as `count`',
  'second-person': 'another person must start a set of this size',
  status: 'it is not in a state for that',
};

function unwrap(result: BatchResult): Batch {
  if (result.kind === 'not-found')
    throw new Problem('not-found', { detail: 'there is no such batch, or the token is not its own' });
  if (result.kind === 'refused')
    throw new Problem('batch-refused', { detail: refusalOf(result), more: { why: result.why } });
  return result.batch;
}

/** Whoever comes second is told who was faster. */
function refusalOf({
  why,
  batch: { status, executor, startedAt },
}: Extract<BatchResult, { kind: 'refused' }>): string {
  if (why !== 'status' || executor === null || startedAt === null) return refusals[why];
  return `it was started by ${executor} at ${toRfc3339(startedAt)}, and is ${status}`;
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
