import type { FastifyReply } from 'fastify';
import type { Answer } from './idempotency.js';

/** Sends the answer of an idempotent request: fresh or replayed, a success or a kept refusal. Never returns a body of its own to the route. */
export function send(reply: unknown, answer: Answer): never {
  const out = reply as FastifyReply; // the typed reply of a route knows its successes only; a replayed refusal is a problem
  if (answer.replayed) out.header('Idempotent-Replayed', 'true');
  if (answer.status >= 400) out.type('application/problem+json').serializer(JSON.stringify);
  return out.code(answer.status).send(answer.body) as never;
}
