import { randomUUID } from 'node:crypto';
import { childTraceparent } from '../base/trace.js';
import type { Database } from '../database/database.js';
import type { Registry } from '../outbox/registry.js';
import type { Exchange, Finding } from '../outbox/types.js';
import { type Act, audit } from './audit.js';
import { findEvent } from './find.js';

const ASK_DEADLINE_MS = 10_000;
/** Characters of the exchanges that the audit keeps; the finding itself is always kept. */
const KEPT_MAX = 48_000;

export type Asked =
  | { readonly kind: 'asked'; readonly finding: Finding; readonly exchanges: readonly Exchange[] }
  | { readonly kind: 'not-found' }
  /** Nobody can be asked about this type. */
  | { readonly kind: 'no-question'; readonly type: string };

/**
 * Asks the vendor, on a person's behalf, what its books say of an event, and keeps the answer in the audit. Changes nothing else:
 * what follows from the answer is the person's next step.
 */
export async function ask(database: Database, registry: Registry, id: string, act: Act): Promise<Asked> {
  const event = await findEvent(database.manager, id);
  if (!event) return { kind: 'not-found' };
  const handler = registry.find(event.type);
  const payload = registry.payloadOf(event);
  if (!handler?.ask || payload === undefined) return { kind: 'no-question', type: event.type };
  const exchanges: Exchange[] = [];
  const finding = await handler
    .ask(payload, {
      signal: AbortSignal.timeout(ASK_DEADLINE_MS),
      journal: (exchange) => void exchanges.push(exchange),
      requestId: act.requestId ?? randomUUID(),
      traceparent: childTraceparent(event.traceparent),
    })
    .catch(
      (error: unknown): Finding => ({
        outcome: 'unknown',
        text: `the question failed: ${error instanceof Error ? error.name : 'unknown error'}`,
      }),
    );
  await database.transaction((tx) =>
    audit(tx, act, {
      verb: 'ask',
      targetType: 'event',
      targetId: id,
      subjectId: event.subjectId,
      before: { status: event.status, outcome: event.outcome },
      after: { finding, exchanges: JSON.stringify(exchanges).length <= KEPT_MAX ? exchanges : [] },
    }),
  );
  return { kind: 'asked', finding, exchanges };
}
