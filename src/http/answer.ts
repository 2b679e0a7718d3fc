import type { FastifyReply } from 'fastify';
import type { Answer } from './idempotency.js';

/**
 * Sends the answer of an idempotent request: fresh or replayed, a success or a kept refusal. Resolves when it has been sent, so that the
 * route itself has nothing to return.
 */
export async function send(reply: unknown, answer: Answer): Promise<void> {
  const out = reply as FastifyReply; // a route's reply is typed for its successes; a replayed refusal is a problem
  if (answer.replayed) out.header('Idempotent-Replayed', 'true');
  if (answer.status >= 400) out.type('application/problem+json').serializer(JSON.stringify);
  await out.code(answer.status).send(answer.body);
}
