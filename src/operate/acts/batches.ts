import { z } from 'zod';
import { may, type Role } from '../../base/caller.js';
import { shortText } from '../../base/fields.js';
import { batchVerbs } from '../batch/batch.js';
import { executeBatch } from '../batch/execute.js';
import { previewBatch, RATE_MAX } from '../batch/preview.js';
import type { BatchRefused } from '../batch/refused.js';
import { stopBatch } from '../batch/stop.js';
import { act, reasonOf, type Tables } from './act.js';

const DEFAULT_RATE = 5;
const TOKEN_CHARACTERS = 32;

export const previewBulk = act({
  name: 'batch-preview',
  verbs: [],
  on: null,
  input: z
    .object({
      verb: z.enum(batchVerbs),
      type: shortText(64).optional(),
      cause: shortText(191).optional(),
      ratePerSecond: z.number().int().min(1).max(RATE_MAX).default(DEFAULT_RATE),
    })
    .refine(({ type, cause }) => type !== undefined || cause !== undefined, {
      path: ['type'],
      message: 'name a type or a cause: not everything at once',
    }),
  reason: 'required',
  words: { zh: '预览', en: 'Preview' },
  route: {
    url: '/v1/event-batches',
    summary: 'Preview a bulk act: freezes the errored events that the filter names, and does nothing to them',
  },
  form: { urls: ['/console/batches'] },
  command: {
    name: 'redrive',
    says: 'requeue (or discard) many errored events: shows what it would touch; with --yes, does it',
  },
  run: ({ database }: Tables, { verb, type, cause, ratePerSecond }, by) =>
    previewBatch(database, { verb, filter: { type, cause }, perSecond: ratePerSecond }, reasonOf(by)),
});

export const executeBulk = act({
  name: 'batch-execute',
  on: 'batch',
  input: z.object({ token: z.string().length(TOKEN_CHARACTERS), count: z.number().int().optional() }),
  reason: 'none',
  words: { zh: '执行', en: 'Execute' },
  route: {
    url: '/v1/event-batches/:id/execute',
    summary:
      'Carry a previewed set out, the first event alone. Above ten its number must be sent; above a thousand another person, or an admin, must send it',
  },
  form: { urls: ['/console/batches/:id/execute'] },
  command: {
    name: 'redrive',
    says: 'with --yes: what was previewed is carried out',
    notFound: ({ id }) => `batch ${id} was refused: not-found`,
    conflict: (problem, { id }) => `batch ${id} was refused: ${(problem as BatchRefused).why}`,
  },
  /** `alone`: no second person is asked for, whatever the role. */
  run: ({ database, alone }: Tables & { readonly alone?: boolean }, { id, token, count }, by) =>
    executeBatch(
      database,
      id,
      { token, count, alone: alone ?? may(by.role as Role, 'act-on-many-alone') },
      by,
    ),
});

export const stopBulk = act({
  name: 'batch-stop',
  on: 'batch',
  input: null,
  reason: 'none',
  words: { zh: '停止', en: 'Stop' },
  route: { url: '/v1/event-batches/:id/stop', summary: 'Touch no further event' },
  form: { urls: ['/console/batches/:id/stop'] },
  command: {
    name: 'batches stop',
    says: 'touch no further event',
    conflict: (_problem, { id }) => `batch ${id} is not running`,
  },
  run: ({ database }: Tables, { id }, by) => stopBatch(database, id, by),
});
