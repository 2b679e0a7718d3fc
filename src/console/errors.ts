import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../base/problems.js';
import { isUnavailable } from '../database/errors.js';
import type { ConsoleContext } from './context.js';
import { html } from './html.js';
import { words } from './locales/words.js';
import { languageOf } from './session.js';

/** An error is a page of its own, with the code that the API would give. */
export function answerErrors(app: FastifyInstance, context: ConsoleContext): void {
  app.setErrorHandler(async (error, request, reply) => {
    const w = words[languageOf(request)];
    if (!(error instanceof Problem) && isUnavailable(error)) {
      const body = html`<p class="note bad" role="alert">${w.queryCut}</p>`;
      return context.send(request, reply, { title: w.overview, status: 503, body });
    }
    const problem = toProblem(error);
    const { retryAfterS } = problem.details;
    if (retryAfterS !== undefined) reply.header('Retry-After', String(retryAfterS));
    if (problem.status >= 500) request.log.error({ err: error }, 'a page failed');
    return context.send(request, reply, {
      title: problem.status === 404 ? w.notFound : String(problem.status),
      status: problem.status,
      body: html`<p>${problem.code}: ${problem.message}</p>`,
    });
  });
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413) return new Problem('payload-too-large');
  if (status === 415) return new Problem('unsupported-media-type');
  if (error instanceof z.ZodError || (status !== undefined && status < 500)) return new Problem('validation');
  return new Problem('internal');
}
