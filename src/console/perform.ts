import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from '../base/problems.js';
import type { Act } from '../operate/acts/act.js';
import type { ConsoleContext } from './context.js';
import { fieldsOf, idOf } from './request.js';

/**
 * Carries out the act of a form: its fields by the act's schema, its reason, the visitor as who acts. `more`: what the address states rather
 * than a field. Throws Problem; that something is not there is told without a detail, but for an order.
 */
export async function perform<Needs, Stated extends object, Answer>(
  context: ConsoleContext,
  request: FastifyRequest,
  act: Act<Needs, Stated, Answer>,
  needs: Needs,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const by = context.act(request, null, act.roles);
  const id = idOf(request);
  if (act.on !== null && id === null) throw new Problem('not-found');
  const reason = act.reason === 'required' ? context.reasonOf(request) : null;
  const stated = (act.input ?? z.object({})).safeParse({ ...typed(fieldsOf(request), act.input), ...more });
  if (!stated.success) throw new Problem('validation');
  return act
    .run(needs, { ...(stated.data as Stated), id: id ?? '' }, { ...by, reason })
    .catch((error: unknown) => {
      if (act.on !== 'order' && error instanceof Problem && error.code === 'not-found')
        throw new Problem('not-found');
      throw error;
    });
}

/** A form's fields are text; a field that the schema wants as a number or a truth becomes that, and an empty number is none. */
function typed(
  fields: Readonly<Record<string, string | undefined>>,
  input: z.ZodObject | null,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => [name, typedOne(text, input?.shape[name])]),
  );
}

function typedOne(text: string | undefined, schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return text === '' ? undefined : typedOne(text, schema.unwrap());
  if (schema instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  return schema instanceof z.ZodNumber ? Number(text) : text;
}
