import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { id } from '../http/schemas.js';

/** Members of an address. What cannot be read is left out, so that an old link still shows a page. */
export const optionalId = z
  .string()
  .regex(/^\d{1,19}$/)
  .optional()
  .catch(undefined);
export const optionalText = z.string().max(191).optional().catch(undefined);

/** The query without its empty members: a form sends all its fields. */
export function queryOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.query as Record<string, unknown>).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value]] : [],
    ),
  );
}

export function paramsOf(request: FastifyRequest): Record<string, string> {
  return request.params as Record<string, string>;
}

/** The id in the path, or null when it cannot be the id of anything. */
export function idOf(request: FastifyRequest): string | null {
  const parsed = id.safeParse(paramsOf(request).id);
  return parsed.success ? parsed.data : null;
}

/** The fields of a form. */
export function fieldsOf(request: FastifyRequest): Record<string, string | undefined> {
  return (request.body ?? {}) as Record<string, string | undefined>;
}

/** The path without its query. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
