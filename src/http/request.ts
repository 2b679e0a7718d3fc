import type { FastifyRequest } from 'fastify';
import type { Caller, Role } from '../orders/caller.js';
import type { Attempted } from '../orders/idempotency.js';
import type { Act } from '../outbox/audit.js';
import { Problem } from '../problems.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is. */
    routeTable: readonly { readonly method: string; readonly url: string }[];
  }
  interface FastifyRequest {
    caller: Caller | null;
    traceparent: string;
  }
}

/** The caller, if the role is one of these; throws Problem `forbidden` otherwise. */
export function callerWith(request: FastifyRequest, ...roles: Role[]): Caller {
  const { caller } = request;
  if (!caller) throw new Problem('unauthorized');
  const asOperator = caller.role === 'admin' && roles.includes('operator'); // an admin may do whatever an operator may
  if (!roles.includes(caller.role) && !asOperator) throw new Problem('forbidden', { detail: `this needs the role ${roles.join(' or ')}` });
  return caller;
}

/** What an operator does by hand, for the audit; throws Problem `forbidden` for anybody else. */
export function actOf(request: FastifyRequest, because: string | null): Act {
  const caller = callerWith(request, 'operator');
  return { actor: caller.sub, role: caller.role, reason: because, requestId: request.id, ip: request.ip };
}

/** 1–255 printable ASCII characters, bare or in quotes. */
export function idempotencyKey(request: FastifyRequest): string {
  const header = request.headers['idempotency-key'];
  const value = typeof header === 'string' ? header.trim() : '';
  const key = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) throw new Problem('idempotency-key-missing');
  return key;
}

export function attemptedBy(request: FastifyRequest, caller: Caller, operation: string, body: unknown, lockMs: number): Attempted {
  return { caller: caller.sub, operation, key: idempotencyKey(request), body, instance: request.url.split('?')[0] ?? '', requestId: request.id, lockMs };
}
