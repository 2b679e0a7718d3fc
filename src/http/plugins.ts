import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { Problem } from '../base/problems.js';
import { version } from '../base/version.js';
import { pathOf } from './admit.js';
import { sendProblem } from './errors.js';
import './request.js';

export interface RateLimits {
  readonly rateLimitPerMinute: number;
  readonly rateLimitUserPerMinute: number;
}

/** Asked all the time, by machines: neither logged nor limited. */
export const QUIET = ['/livez', '/readyz', '/docs/problems'];

const OVERLOADED_MS = 2_000;

/** So many requests a minute for each caller; a process that cannot keep up answers 503. */
export async function limitRates(app: FastifyInstance, limits: RateLimits): Promise<void> {
  await app.register(rateLimit, {
    hook: 'onRequest', // behind the hook that finds out who calls, before the body is read
    timeWindow: 60_000,
    max: (request: FastifyRequest) =>
      request.caller?.role === 'user' ? limits.rateLimitUserPerMinute : limits.rateLimitPerMinute,
    keyGenerator: ({ caller, ip }: FastifyRequest) => (caller ? `${caller.role}:${caller.sub}` : ip),
    allowList: (request: FastifyRequest) => QUIET.includes(pathOf(request)),
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem('rate-limited', { retryAfterS: Math.max(1, Math.ceil(ttl / 1000)) }),
  });
  await app.register(underPressure, {
    maxEventLoopDelay: OVERLOADED_MS,
    pressureHandler: (request, reply) => {
      if (QUIET.includes(pathOf(request))) return;
      const detail = 'the server is overloaded';
      void sendProblem(request, reply, new Problem('dependency-unavailable', { detail, retryAfterS: 2 }));
    },
  });
}

/** `/openapi.json` and `/docs`, from the schemas of the routes. */
export async function describeApi(app: FastifyInstance): Promise<void> {
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
