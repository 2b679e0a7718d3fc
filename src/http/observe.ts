import type { FastifyInstance, FastifyRequest } from 'fastify';
import { idsOf, type Span, startSpan } from '../base/trace.js';
import { QUIET } from './plugins.js';
import './request.js';

/** Hears of every answer. */
export type Observe = (route: string, method: string, status: number, seconds: number) => void;

/** Each request is a span, a line in the log, and a number in the metrics. */
export function observeRequests(app: FastifyInstance, observe: Observe | undefined): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', async (request) => {
    const { traceparent } = request.headers;
    const route = routeOf(request);
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const parent = typeof traceparent === 'string' ? traceparent : null;
    const span = startSpan('server', `${request.method} ${route}`, parent, attributes);
    spans.set(request, span);
    request.traceparent = span.traceparent;
  });
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode, elapsedTime } = reply;
    const failure = statusCode >= 500 ? String(statusCode) : null;
    spans.get(request)?.end({ 'http.response.status_code': statusCode }, failure);
    const route = routeOf(request);
    if (QUIET.includes(route)) return;
    observe?.(route, request.method, statusCode, elapsedTime / 1000);
    request.log.info(
      {
        method: request.method,
        route,
        status: statusCode,
        duration_s: Math.round(elapsedTime) / 1000,
        request_id: request.id,
        ...idsOf(request.traceparent),
        sub: request.caller?.sub ?? null,
      },
      'request',
    );
  });
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unknown';
}
