import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Act, AnyAct } from '../operate/acts/act.js';
import { actOf } from './request.js';
import { id, pathId, reason } from './schemas.js';

export interface AnswerOfAct<Answer> {
  /** 200 unless it is said. */
  readonly status?: 200 | 201 | 202;
  readonly schema: z.ZodType;
  /** The body, from what the act has done. `id`: of what it acted on. */
  view(answer: Answer, id: string): unknown;
}

/** The route of an act, as its row of the table describes it: URL, input and reason from there, the answer from here. */
export function serveAct<Needs, Stated extends object, Answer>(
  app: FastifyInstance,
  act: Act<Needs, Stated, Answer>,
  needsOf: (request: FastifyRequest) => Needs,
  { status = 200, schema, view }: AnswerOfAct<Answer>,
): void {
  if ('none' in act.route) throw new Error(`${act.name} has no route: ${act.route.none}`);
  const { url, summary } = act.route;
  const params = act.on && z.object({ id: act.on === 'order' || act.on === 'complaint' ? pathId : id });
  const body = bodyOf(act.input, act.reason);
  app.post(
    url,
    {
      schema: {
        summary,
        ...(params ? { params } : {}),
        ...(body ? { body } : {}),
        response: { [status]: schema },
      },
    },
    async (request, reply) => {
      const stated = (request.body ?? {}) as Stated & { reason?: string };
      const { id: target = '' } = request.params as { id?: string };
      const by = actOf(request, stated.reason ?? null);
      const answer = await act.run(needsOf(request), { ...stated, id: target }, by);
      return reply.code(status).send(await view(answer, target));
    },
  );
}

/** What the act's input is, with the reason; null: no body is looked at. */
function bodyOf(input: z.ZodObject | null, asked: AnyAct['reason']): z.ZodObject | null {
  if (asked === 'none') return input;
  return (input ?? z.object({})).safeExtend({ reason });
}
