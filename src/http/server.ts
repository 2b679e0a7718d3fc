import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import underPressure from '@fastify/under-pressure';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { roles } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import { idsOf, type Span, startSpan } from '../base/trace.js';
import { version } from '../base/version.js';
import { accessOf, mayCall, type Route, routesAt } from './access.js';
import type { Authenticate } from './auth.js';
import { registerErrors, sendProblem } from './errors.js';
import './request.js';

export interface ServerOptions {
  readonly logger: FastifyBaseLogger;
  readonly authenticate: Authenticate;
  /** Hears of every answer: route, method, status, seconds. */
  readonly observe?: (route: string, method: string, status: number, seconds: number) => void;
  readonly docsOpen: boolean;
  /** Nobody changes anything. */
  readonly readOnly: boolean;
  /** How many proxies in front are believed about who called. */
  readonly trustedProxies: number;
  readonly rateLimitPerMinute: number;
  readonly rateLimitUserPerMinute: number;
}

/** Asked all the time, by machines: not logged, not limited. */
const QUIET = ['/livez', '/readyz', '/docs/problems'];
const READS = ['GET', 'HEAD'];
/** Who one is, and in which language: nothing of ours. */
const PREFERENCES = /^\/console\/(sign-in|sign-out|preferences)$/;
const BODY_MAX_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;
/** As long as a URL can be: a longer id is no reason to answer before it is known who asks. */
const PARAM_MAX = 16_384;

/** Fastify with everything that all routes share: ids, callers, limits, errors, the API's description. Routes are registered after it. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const routeTable: Route[] = [];
  /** Who may call is decided here, before anything else of the request is read. Throws Problem. */
  async function admit(request: FastifyRequest, path: string): Promise<void> {
    const found = routesAt(routeTable, path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = request.routeOptions?.url ?? found.find((one) => one.method === method)?.url;
    const access = accessOf(method, route ?? path, options.docsOpen) ?? roles;
    const changes = !READS.includes(request.method) && !PREFERENCES.test(path);
    if (access !== 'open' && access !== 'console') {
      request.caller = await options.authenticate(request.headers.authorization, request.ip);
      if (!mayCall(request.caller.role, access))
        throw new Problem('forbidden', { detail: `this needs the role ${access.join(' or ')}` });
    }
    if (route === undefined) throw notThere(found);
    if (options.readOnly && changes && access !== 'open')
      throw new Problem('forbidden', { detail: 'this process is read-only' });
  }
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS * 2,
    keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: PARAM_MAX },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // it answers with JSON of its own: what comes while the server stops is refused below, as a problem
    trustProxy: (_address: string, hop: number) => hop < options.trustedProxies,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // A path that cannot be decoded names nothing; but who may not call it is told that first. No hook runs here.
    frameworkErrors: (_error, request, reply) =>
      void admit(request, pathOf(request)).then(
        () => sendProblem(request, reply, new Problem('not-found', { detail: 'the URL could not be read' })),
        (error: unknown) =>
          sendProblem(request, reply, error instanceof Problem ? error : new Problem('internal')),
      ),
    clientErrorHandler(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const [status, title] =
        error.code === 'HPE_HEADER_OVERFLOW'
          ? [431, 'Request Header Fields Too Large']
          : [400, 'Bad Request'];
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
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (accessOf(one, url, options.docsOpen) === undefined)
        throw new Error(`${one} ${url}: who may call it is not said in http/access.ts`);
      if (one !== 'HEAD') routeTable.push({ method: one, url });
    }
  });
  app.decorate('routeTable', routeTable);
  app.decorateRequest('caller', null);
  app.decorateRequest('traceparent', '');
  registerErrors(app);
  acceptJson(app);

  let stopping = false;
  app.addHook('preClose', async () => {
    stopping = true;
  });
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', async (request, reply) => {
    const parent = request.headers.traceparent;
    const route = request.routeOptions.url ?? 'unknown';
    const span = startSpan(
      'server',
      `${request.method} ${route}`,
      typeof parent === 'string' ? parent : null,
      {
        'http.request.method': request.method,
        'http.route': route,
      },
    );
    spans.set(request, span);
    request.traceparent = span.traceparent;
    reply.header('X-Request-Id', request.id);
    reply.header('Cache-Control', 'no-store');
    reply.header('X-Content-Type-Options', 'nosniff');
    await admit(request, pathOf(request));
    if (stopping)
      throw new Problem('dependency-unavailable', { detail: 'this process is stopping', retryAfterS: 1 });
  });
  app.addHook('onResponse', async (request, reply) => {
    spans
      .get(request)
      ?.end(
        { 'http.response.status_code': reply.statusCode },
        reply.statusCode >= 500 ? String(reply.statusCode) : null,
      );
    const route = request.routeOptions.url ?? 'unknown';
    if (QUIET.includes(route)) return;
    options.observe?.(route, request.method, reply.statusCode, reply.elapsedTime / 1000);
    request.log.info(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        duration_s: Math.round(reply.elapsedTime) / 1000,
        request_id: request.id,
        ...idsOf(request.traceparent),
        sub: request.caller?.sub ?? null,
      },
      'request',
    );
  });

  await limitRates(app, options);
  await describe(app);
  return app;
}

const pathOf = (request: FastifyRequest): string => request.url.split(/[?;#]/, 1)[0] ?? '';

/** What a path without such a route is told: 404, or 405 with the methods that it has. */
function notThere(found: readonly Route[]): Problem {
  if (found.length === 0) return new Problem('not-found', { detail: 'there is no such resource' });
  const allow = [
    ...new Set(found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
  ].sort();
  return new Problem('method-not-allowed', { allow });
}

/**
 * JSON alone, by Fastify's parser, which refuses `__proto__`. `POST …/cancel` has a body with optional members only: an empty body is as
 * good as `{}`.
 */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'ignore');
  app.removeAllContentTypeParsers(); // Fastify would take plain text, too
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, {});
    parse(request, body, (error, value) =>
      done(error && new Problem('validation', { detail: 'the body is not JSON' }), value),
    );
  });
}

async function limitRates(app: FastifyInstance, options: ServerOptions): Promise<void> {
  await app.register(rateLimit, {
    hook: 'onRequest', // behind the hook that finds out who calls, before the body is read
    timeWindow: 60_000,
    max: (request: FastifyRequest) =>
      request.caller?.role === 'user' ? options.rateLimitUserPerMinute : options.rateLimitPerMinute,
    keyGenerator: (request: FastifyRequest) =>
      request.caller ? `${request.caller.role}:${request.caller.sub}` : request.ip,
    allowList: (request: FastifyRequest) => QUIET.includes(pathOf(request)),
    errorResponseBuilder: (_request, context) =>
      new Problem('rate-limited', { retryAfterS: Math.max(1, Math.ceil(context.ttl / 1000)) }),
  });
  await app.register(underPressure, {
    maxEventLoopDelay: 2_000,
    pressureHandler: (request, reply) =>
      void (
        QUIET.includes(pathOf(request)) ||
        sendProblem(
          request,
          reply,
          new Problem('dependency-unavailable', { detail: 'the server is overloaded', retryAfterS: 2 }),
        )
      ),
  });
}

async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'lunchbox',
        version,
        description: 'Meal orders of a company canteen. Errors are `application/problem+json` (RFC 9457).',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
