import type { FastifyRequest } from 'fastify';
import { roles } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import { accessOf, mayCall, type Route, routesAt } from './access.js';
import type { Authenticate } from './auth.js';

export interface Admission {
  readonly authenticate: Authenticate;
  readonly docsOpen: boolean;
  /** Nobody changes anything. */
  readonly readOnly: boolean;
}

const READS = ['GET', 'HEAD'];
/** The visitor's sign-in, language and theme: no data of the product. */
const PREFERENCES = /^\/console\/(sign-in|sign-out|preferences)$/;

/**
 * Decides who may call, before anything else of the request is read, and sets `request.caller`. Throws
 * Problem.
 */
export async function admit(
  request: FastifyRequest,
  routes: readonly Route[],
  { authenticate, docsOpen, readOnly }: Admission,
): Promise<void> {
  const path = pathOf(request);
  const found = routesAt(routes, path);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = request.routeOptions?.url ?? found.find((known) => known.method === method)?.url;
  const access = accessOf(method, route ?? path, docsOpen) ?? roles;
  if (access !== 'open' && access !== 'console') {
    request.caller = await authenticate(request.headers.authorization, request.ip);
    if (!mayCall(request.caller.role, access))
      throw new Problem('forbidden', { detail: `this needs the role ${access.join(' or ')}` });
  }
  if (route === undefined) throw notThere(found);
  const changes = !READS.includes(request.method) && !PREFERENCES.test(path);
  if (readOnly && changes && access !== 'open')
    throw new Problem('forbidden', { detail: 'this process is read-only' });
}

export function pathOf(request: FastifyRequest): string {
  return request.url.split(/[?;#]/, 1)[0] ?? '';
}

/** A path without such a route: 404, or 405 with the methods that the path has. */
function notThere(found: readonly Route[]): Problem {
  if (found.length === 0) return new Problem('not-found', { detail: 'there is no such resource' });
  const methods = found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return new Problem('method-not-allowed', { allow: [...new Set(methods)].sort() });
}
