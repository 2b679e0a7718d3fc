import { toRfc3339 } from '../base/clock.js';
import type { Database } from '../database/database.js';
import type { EventAttempt } from '../entities/event-attempt.js';
import { findAttempts, findEvent } from '../operate/find.js';
import { unpackExchanges } from '../outbox/exchanges.js';
import type { Outbox } from '../outbox/outbox.js';
import { eventView } from './view.js';

/** An event with all its attempts, oldest first; null when there is none. */
export async function readEvent(database: Database, outbox: Pick<Outbox, 'failuresMax'>, id: string) {
  const event = await findEvent(database.manager, id);
  if (!event) return null;
  const attempts = await findAttempts(database.manager, id);
  return { ...eventView(event, outbox.failuresMax(event.type)), attempts: attempts.map(attemptView) };
}

function attemptView(attempt: EventAttempt) {
  const exchanges = unpackExchanges(attempt.exchanges);
  const last = exchanges.at(-1);
  return {
    number: attempt.number,
    trigger: attempt.trigger,
    startedAt: toRfc3339(attempt.startedAt),
    finishedAt: attempt.finishedAt ? toRfc3339(attempt.finishedAt) : null,
    worker: attempt.worker,
    outcome: attempt.outcome,
    decision: attempt.decision,
    error:
      attempt.errorCode === null ? null : { code: attempt.errorCode, message: attempt.errorMessage ?? '' },
    request: last?.request ?? null,
    answer: last?.answer ?? null,
    exchanges,
  };
}
