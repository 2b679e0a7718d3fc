import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import underPressure from '@fastify/under-pressure';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { Problem } from '../problems.js';
import { idsOf, type Span, startSpan } from '../trace.js';
import { version } from '../version.js';
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

/** Reachable without a token, whatever is configured. */
const OPEN = ['/livez', '/readyz', '/docs/problems'];
/** The console has a way in of its own (console/session.ts). */
const CONSOLE = /^\/console(\/|$)/;
const DOCS = /^\/(docs(\/.*)?|openapi\.json)$/;
const READS = ['GET', 'HEAD', 'OPTIONS'];
/** Who one is, and in which language: nothing of ours. */
const PREFERENCES = /^\/console\/(sign-in|sign-out|preferences)$/;
const BODY_MAX_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;

/** Fastify with everything that all routes share: ids, callers, limits, errors, the API's description. Routes are registered after it. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS * 2,
    keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: 'idle',
    trustProxy: (_address: string, hop: number) => hop < options.trustedProxies,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    frameworkErrors: (_error, request, reply) => void sendProblem(request, reply, new Problem('validation', { detail: 'the URL could not be read' })),
    clientErrorHandler(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const [status, title] = error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
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
  const routeTable: { method: string; url: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routeTable.push({ method: one, url });
  });
  app.decorate('routeTable', routeTable);
  app.decorateRequest('caller', null);
  app.decorateRequest('traceparent', '');
  registerErrors(app);
  acceptEmptyJson(app);

  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', async (request, reply) => {
    const parent = request.headers.traceparent;
    const route = request.routeOptions.url ?? 'unknown';
    const span = startSpan('server', `${request.method} ${route}`, typeof parent === 'string' ? parent : null, {
      'http.request.method': request.method,
      'http.route': route,
    });
    spans.set(request, span);
    request.traceparent = span.traceparent;
    reply.header('X-Request-Id', request.id);
    reply.header('Cache-Control', 'no-store');
    reply.header('X-Content-Type-Options', 'nosniff');
    const path = request.url.split('?')[0] ?? '';
    const changes = !READS.includes(request.method) && !PREFERENCES.test(path);
    if (options.readOnly && changes) throw new Problem('forbidden', { detail: 'this process is read-only' });
    if (OPEN.includes(path) || (options.docsOpen && DOCS.test(path)) || CONSOLE.test(path)) return;
    request.caller = await options.authenticate(request.headers.authorization);
    if (changes && request.caller.role === 'viewer') throw new Problem('forbidden', { detail: 'a viewer changes nothing' });
  });
  app.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.end({ 'http.response.status_code': reply.statusCode }, reply.statusCode >= 500 ? String(reply.statusCode) : null);
    const route = request.routeOptions.url ?? 'unknown';
    if (OPEN.includes(route)) return;
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

/** `POST …/cancel` has a body with optional members only: an empty one is as good as `{}`. */
function acceptEmptyJson(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, {});
    try {
      done(null, withoutPrototype(JSON.parse(body as string)));
    } catch {
      done(new Problem('validation', { detail: 'the body is not JSON' }), undefined);
    }
  });
}

function withoutPrototype(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Object.hasOwn(value, '__proto__')) throw new Error('refused');
  for (const member of Object.values(value)) withoutPrototype(member);
  return value;
}

async function limitRates(app: FastifyInstance, options: ServerOptions): Promise<void> {
  await app.register(rateLimit, {
    hook: 'preValidation', // after the caller is known
    timeWindow: 60_000,
    max: (request: FastifyRequest) => (request.caller?.role === 'user' ? options.rateLimitUserPerMinute : options.rateLimitPerMinute),
    keyGenerator: (request: FastifyRequest) => (request.caller ? `${request.caller.role}:${request.caller.sub}` : request.ip),
    allowList: (request: FastifyRequest) => OPEN.includes(request.url),
    errorResponseBuilder: (_request, context) => new Problem('rate-limited', { retryAfterS: Math.max(1, Math.ceil(context.ttl / 1000)) }),
  });
  await app.register(underPressure, {
    maxEventLoopDelay: 2_000,
    pressureHandler: (request, reply) =>
      void (
        OPEN.includes(request.url) || sendProblem(request, reply, new Problem('dependency-unavailable', { detail: 'the server is overloaded', retryAfterS: 2 }))
      ),
  });
}

async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'lunchbox', version, description: 'Meal orders of a company canteen. Errors are `application/problem+json` (RFC 9457).' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
