import type { FastifyRequest } from 'fastify';
import type { Caller } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import type { Signature } from '../operate/audit.js';
import type { Attempted } from './idempotency.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** All routes. */
    routeTable: readonly { readonly method: string; readonly url: string }[];
  }
  interface FastifyRequest {
    caller: Caller | null;
    traceparent: string;
  }
}

/** Who calls. access.ts has decided that they may, before anything of the request was read. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Problem('unauthorized');
  return request.caller;
}

/** Who acts by hand, and why, for the audit. */
export function actOf(request: FastifyRequest, reason: string | null): Signature {
  const caller = callerOf(request);
  return { actor: caller.sub, role: caller.role, reason, requestId: request.id, ip: request.ip };
}

/** 1–255 printable ASCII characters, bare or in quotes. */
export function idempotencyKey(request: FastifyRequest): string {
  const header = request.headers['idempotency-key'];
  const value = typeof header === 'string' ? header.trim() : '';
  const key = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) throw new Problem('idempotency-key-missing');
  return key;
}

export function attemptedBy(
  request: FastifyRequest,
  caller: Caller,
  operation: string,
  body: unknown,
  lockMs: number,
): Attempted {
  return {
    caller: caller.sub,
    role: caller.role,
    operation,
    key: idempotencyKey(request),
    body,
    instance: request.url.split('?')[0] ?? '',
    requestId: request.id,
    lockMs,
  };
}
