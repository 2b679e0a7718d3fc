import { randomUUID } from 'node:crypto';
import { Problem } from '../base/problems.js';
import { childTraceparent } from '../base/trace.js';
import type { Database } from '../database/database.js';
import type { Exchange } from '../entities/event-attempt.js';
import type { Registry } from '../outbox/registry.js';
import type { Finding } from '../outbox/types.js';
import { audit, type Signature } from './audit.js';
import { findEvent } from './find.js';
import { noSuchEvent } from './lock-event.js';

const ASK_DEADLINE_MS = 10_000;
/** Characters of the exchanges that the audit keeps; the finding itself is always kept. */
const KEPT_MAX = 48_000;

/** What the vendor's books say of an event, and the calls that asked. */
export interface Asked {
  readonly finding: Finding;
  readonly exchanges: readonly Exchange[];
}

export class NotAskable extends Problem {
  constructor(readonly type: string) {
    super('event-not-askable');
  }
}

/**
 * Asks the vendor, on a person's behalf, what its books say of an event, and keeps the answer in the audit. Changes nothing else: the
 * person decides what follows from the answer. Throws Problem `not-found`, or `event-not-askable` when the type has no vendor to ask.
 */
export async function ask(database: Database, registry: Registry, id: string, by: Signature): Promise<Asked> {
  const event = await findEvent(database.manager, id);
  if (!event) throw noSuchEvent();
  const handler = registry.find(event.type);
  const payload = registry.payloadOf(event);
  if (!handler?.ask || payload === undefined) throw new NotAskable(event.type);
  const exchanges: Exchange[] = [];
  const finding = await handler
    .ask(payload, {
      signal: AbortSignal.timeout(ASK_DEADLINE_MS),
      journal: (exchange) => void exchanges.push(exchange),
      requestId: by.requestId ?? randomUUID(),
      traceparent: childTraceparent(event.traceparent),
    })
    .catch(
      (error: unknown): Finding => ({
        outcome: 'unknown',
        text: `the question failed: ${error instanceof Error ? error.name : 'unknown error'}`,
      }),
    );
  await database.transaction((tx) =>
    audit(tx, by, {
      verb: 'ask',
      targetType: 'event',
      targetId: id,
      subjectId: event.subjectId,
      before: { status: event.status, outcome: event.outcome },
      after: { finding, exchanges: JSON.stringify(exchanges).length <= KEPT_MAX ? exchanges : [] },
    }),
  );
  return { finding, exchanges };
}
