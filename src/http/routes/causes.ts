import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AlertGroup, listGroups, loadGroup, stateOf } from '../../alerts/group.js';
import { noSuchCause } from '../../alerts/known.js';
import { toRfc3339 } from '../../base/clock.js';
import type { Database } from '../../database/database.js';
import { forgetCause, knowCause } from '../../operate/acts/controls.js';
import { listActions } from '../../operate/audit.js';
import { decodeCursor, encodeCursor } from '../cursor.js';
import { serveAct } from '../serve-act.js';

const causeSchema = z
  .object({
    id: z.string(),
    key: z.string(),
    kind: z.string(),
    state: z.enum(['open', 'known', 'regressed', 'recovered']),
    type: z.string().nullable(),
    cause: z.string(),
    occurrences: z.number().int(),
    firstAt: z.string(),
    lastAt: z.string(),
    known: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
  })
  .meta({ id: 'Cause' });
const actionSchema = z
  .object({
    id: z.string(),
    at: z.string(),
    actor: z.string(),
    role: z.string(),
    verb: z.string(),
    target: z.string(),
    reason: z.string().nullable(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    requestId: z.string().nullable(),
    ip: z.string().nullable(),
  })
  .meta({ id: 'OperatorAction' });

/** Failures grouped by their cause, and what people did by hand. */
export const causeRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  app.get(
    '/v1/causes',
    {
      schema: {
        summary: 'Failures grouped by their cause, the latest first',
        response: { 200: z.object({ data: z.array(causeSchema) }) },
      },
    },
    async () => ({ data: (await listGroups(database)).map(view) }),
  );

  const cause = {
    schema: causeSchema,
    async view(_done: unknown, causeId: string) {
      const group = await loadGroup(database, causeId);
      if (!group) throw noSuchCause();
      return view(group);
    },
  };
  serveAct(app, knowCause, () => ({ database }), cause);
  serveAct(app, forgetCause, () => ({ database }), cause);

  app.get(
    '/v1/audit',
    {
      schema: {
        summary: 'What people did by hand, the latest first',
        querystring: z.object({ cursor: z.string().max(200).optional() }),
        response: { 200: z.object({ data: z.array(actionSchema), nextCursor: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { rows, nextId } = await listActions(database, decodeCursor(request.query.cursor));
      return {
        data: rows.map(({ at, targetType, targetId, stateBefore, stateAfter, subjectId: _, ...row }) => ({
          ...row,
          at: toRfc3339(at),
          target: `${targetType} ${targetId}`,
          before: stateBefore,
          after: stateAfter,
        })),
        nextCursor: nextId === null ? null : encodeCursor(nextId),
      };
    },
  );
};

function view(group: AlertGroup) {
  const { id: of, groupKey, kind, eventType, cause, occurrences, firstAt, lastAt, known } = group;
  return {
    id: of,
    key: groupKey,
    kind,
    state: stateOf(group),
    type: eventType,
    cause,
    occurrences,
    firstAt: toRfc3339(firstAt),
    lastAt: toRfc3339(lastAt),
    known: known && { at: toRfc3339(known.at), by: known.by, reason: known.reason },
  };
}
