import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { Problem } from '../base/problems.js';
import { accessOf, type Route } from './access.js';
import { type Admission, admit } from './admit.js';
import { registerErrors, sendProblem } from './errors.js';
import { type Observe, observeRequests } from './observe.js';
import { describeApi, limitRates, type RateLimits } from './plugins.js';
import './request.js';

interface ServerOptions extends Admission, RateLimits {
  readonly logger: FastifyBaseLogger;
  readonly observe?: Observe;
  /** How many proxies in front are believed about who called. */
  readonly trustedProxies: number;
}

const BODY_MAX_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;
/** As long as a URL can be: an id that is too long is refused after it is known who asks, not before. */
const PARAM_MAX = 16_384;

/**
 * Fastify with everything that all routes share: ids, callers, limits, errors, the API's description. Routes
 * are registered after it.
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const routes: Route[] = [];
  const app = createFastify(options, routes);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  listRoutes(app, routes, options.docsOpen);
  app.decorateRequest('caller', null);
  app.decorateRequest('traceparent', '');
  registerErrors(app);
  acceptJson(app);
  observeRequests(app, options.observe);
  admitRequests(app, routes, options);
  await limitRates(app, options);
  await describeApi(app);
  return app;
}

function createFastify(options: ServerOptions, routes: readonly Route[]): FastifyInstance {
  return Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS * 2,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: PARAM_MAX },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // Fastify answers with JSON of its own; admitRequests answers with a problem
    trustProxy: (_address: string, hop: number) => hop < options.trustedProxies,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // A path that cannot be decoded names nothing; a caller who may not call it is told that first. No hook
    // runs here.
    frameworkErrors: (_error, request, reply) =>
      void admit(request, routes, options).then(
        () => sendProblem(request, reply, new Problem('not-found', { detail: 'the URL could not be read' })),
        (error: unknown) =>
          sendProblem(request, reply, error instanceof Problem ? error : new Problem('internal')),
      ),
    clientErrorHandler: answerUnreadable,
  });
}

/** What is not HTTP gets an answer, too, written by hand: there is no request yet. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const [status, title] =
    error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const body = JSON.stringify({
    type: '/docs/problems#validation',
    title,
    status,
    instance: '',
    code: 'validation',
    requestId: randomUUID(),
    retryable: false,
  });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** A route that nobody has listed in access.ts stops the start. */
function listRoutes(app: FastifyInstance, routes: Route[], docsOpen: boolean): void {
  app.addHook('onRoute', ({ method: methods, url }) => {
    for (const method of [methods].flat()) {
      if (accessOf(method, url, docsOpen) === undefined)
        throw new Error(`${method} ${url}: who may call it is not said in http/access.ts`);
      if (method !== 'HEAD') routes.push({ method, url });
    }
  });
  app.decorate('routeTable', routes);
}

/**
 * JSON alone, by Fastify's parser, which refuses `__proto__`. `POST …/cancel` has a body with optional
 * members only: an empty body is as good as `{}`.
 */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'ignore');
  app.removeAllContentTypeParsers(); // Fastify would take plain text, too
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, {});
    void parse(request, body, (error, value) =>
      done(error && new Problem('validation', { detail: 'the body is not JSON' }), value),
    );
  });
}

/** While the process stops, a request that may be admitted is told to come again. */
function admitRequests(app: FastifyInstance, routes: readonly Route[], admission: Admission): void {
  let isStopping = false;
  app.addHook('preClose', async () => {
    isStopping = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'X-Request-Id': request.id,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    await admit(request, routes, admission);
    if (isStopping)
      throw new Problem('dependency-unavailable', { detail: 'this process is stopping', retryAfterS: 1 });
  });
}
