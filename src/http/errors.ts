import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { Problem, type ProblemCode, problemBody } from '../base/problems.js';
import { CommitUnknown, isUnavailable } from '../database/errors.js';

const frameworkCodes: Record<string, ProblemCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported-media-type',
  FST_ERR_NOT_FOUND: 'not-found',
};

/** Every error of the process leaves as problem+json, the framework's own included. */
export function registerErrors(app: FastifyInstance): void {
  let databaseAway = false; // said once an outage; each request has its own line anyway
  let lastRefusedMs = 0;
  app.addHook('onResponse', async (request, reply) => {
    if (!databaseAway || reply.statusCode >= 300 || request.method === 'GET') return; // a read proves little: it may be read-only
    if (performance.now() - reply.elapsedTime < lastRefusedMs) return; // nor does what had begun before: its answer was already on its way
    databaseAway = false;
    request.log.info('the database is available again');
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = leftHalfway(request)
      ? new Problem('validation', { detail: 'the request ended before its body did' })
      : toProblem(error);
    const ofDatabase =
      problem.code !== 'validation' && (isUnavailable(error) || isUnavailable(error.cause ?? {}));
    if (ofDatabase && !databaseAway)
      request.log.error(
        { err: error, code: problem.code },
        'the database is not available: requests are refused',
      );
    databaseAway ||= ofDatabase;
    if (ofDatabase) lastRefusedMs = performance.now();
    if (problem.status >= 500 && !ofDatabase)
      request.log.error({ err: error, code: problem.code }, 'request failed');
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new Problem('not-found', { detail: 'there is no such resource' })),
  );
}

/** The client closed its connection in the middle of its body. The codes of that error are those of a lost database connection. */
function leftHalfway({ raw }: FastifyRequest): boolean {
  return raw.readableAborted && !raw.complete;
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.details.retryAfterS !== undefined)
    reply.header('Retry-After', String(problem.details.retryAfterS));
  if (problem.details.allow) reply.header('Allow', problem.details.allow.join(', '));
  if (problem.code === 'unauthorized') reply.header('WWW-Authenticate', 'Bearer');
  const instance = request.url.split('?')[0] ?? '';
  // Past the response schemas: a problem is the same everywhere.
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemBody(problem, instance.slice(0, 200), request.id));
}

function toProblem(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    // An id that names nothing is not there, whatever it looks like.
    if (
      error.validationContext === 'params' &&
      error.validation.some(({ instancePath }) => instancePath === '/id')
    )
      return new Problem('not-found');
    return new Problem('validation', {
      errors: error.validation.map((issue) => ({
        path: `${error.validationContext ?? 'body'}${issue.instancePath.replaceAll('/', '.')}`,
        message: issue.message ?? 'invalid',
      })),
    });
  }
  const code = frameworkCodes[error.code];
  if (code) return new Problem(code);
  if (error instanceof CommitUnknown) return new Problem('outcome-unknown', { retryAfterS: 2 });
  if (isUnavailable(error))
    return new Problem('dependency-unavailable', { detail: 'the database is not available', retryAfterS: 2 });
  if (error.statusCode === 429) return new Problem('rate-limited', { retryAfterS: 1 });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new Problem('validation', { detail: 'the request could not be read' });
  return new Problem('internal');
}
