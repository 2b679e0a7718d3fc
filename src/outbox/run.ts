import {
  type Attempt,
  beginAttempt,
  type Held,
  isLeaseOver,
  type RunDependencies,
  type RunOptions,
} from './attempt.js';
import { decide, type Situation } from './decide.js';
import { handle } from './handle.js';
import type { Ended } from './settle.js';
import { settleAnyhow } from './settle-anyhow.js';
import { sparedByBreaker } from './spare.js';
import type { AttemptOutcome, ClaimedEvent } from './types.js';

/** One attempt, from the claimed row to the settled one: parse → handle → decide → settle. Never throws. */
export async function run(engine: RunDependencies, held: Held, options: RunOptions): Promise<void> {
  const attempt = beginAttempt(engine, held, options);
  const startedMs = performance.now();
  try {
    // While it waited for its slot, or the process stood still.
    if (isLeaseOver(attempt)) return attempt.span.end({}, 'lease-lost');
    const event = toEvent(attempt);
    const outcome = await outcomeOf(attempt, event);
    const known = event instanceof Error ? { ...attempt.row, payload: null } : event;
    const durationMs = performance.now() - startedMs;
    await conclude(attempt, { event: known, outcome, durationMs });
  } catch (error) {
    // The lease runs out and the event falls due again.
    engine.signals.emit('settle-failed', { eventId: attempt.row.id, error });
    attempt.span.end({}, 'settle-failed');
  } finally {
    engine.leases.letGo(attempt.lease);
    options.answered();
  }
}

function toEvent({ row, handler }: Attempt): ClaimedEvent | Error {
  try {
    return { ...row, payload: handler.definition.schema.parse(JSON.parse(row.payload)) };
  } catch (error) {
    return error as Error;
  }
}

async function outcomeOf(attempt: Attempt, event: ClaimedEvent | Error): Promise<AttemptOutcome> {
  const { handBack } = attempt.options;
  if (handBack !== undefined) return { kind: 'interrupted', reason: handBack, sent: false };
  if (!(event instanceof Error)) return handle(attempt, event);
  const message = `nothing can be compensated: the stored payload does not fit its schema: ${event.message}`;
  return { kind: 'give-up', failure: { outcome: 'not-applied', code: 'payload-invalid', message } };
}

interface Answered {
  readonly event: ClaimedEvent;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
}

async function conclude(attempt: Attempt, { event, outcome, durationMs }: Answered): Promise<void> {
  const { engine, row, handler, lease, span, exchanges, options } = attempt;
  if (lease.isLost) return span.end({}, 'lease-lost'); // the worker that holds the lease now writes
  const decideOn = (answer: AttemptOutcome) => decide(answer, situationOf(attempt, durationMs));
  const answer = sparedByBreaker(outcome, {
    breaker: engine.breakerOf(handler.definition.target),
    exchanges,
    isTooLate: row.deadlineAt !== null && row.deadlineAt <= row.claimedAt,
    retryDelayMs: handler.limits.retryDelayMs ?? engine.retryDelayMs,
  });
  options.answered();
  const first: Ended = {
    event,
    handler,
    exchanges,
    durationMs,
    transition: decideOn(answer),
    effect: answer.effect,
    without: event.payload === null ? ['compensation'] : [],
    progress: { step: 'event' },
  };
  const { settled, ended } = await settleAnyhow(first, {
    settle: (left) => engine.settler.settle(left, lease),
    decideOn,
    alertFailed: (error) =>
      engine.signals.emit('alert-failed', { eventId: row.id, eventType: row.type, error }),
  });
  if (settled) return announce(attempt, ended);
  engine.signals.emit('lease-lost', { eventId: row.id, attempt: row.attempt });
  span.end({}, 'lease-lost');
}

/** As it stood when the handler answered: instants are the database's, carried on by this process's clock. */
function situationOf({ engine, row, handler: { limits } }: Attempt, durationMs: number): Situation {
  const claimedMs = row.claimedAt.getTime();
  const endedMs = claimedMs + durationMs;
  return {
    failures: row.failures,
    interruptions: row.interruptions,
    snoozedForMs: row.snoozeSince ? claimedMs - row.snoozeSince.getTime() : null,
    vainQuestions: row.vainQuestions,
    vainForMs: row.vainSince ? endedMs - row.vainSince.getTime() : null,
    deadlineInMs: limits.asksUntilDeadline && row.deadlineAt ? row.deadlineAt.getTime() - endedMs : null,
    inDoubt: row.unknownAt !== null,
    failuresMax: limits.failuresMax ?? engine.failuresMax,
    retryDelayMs: limits.retryDelayMs ?? engine.retryDelayMs,
    maxSnoozeMs: limits.maxSnoozeMs,
    random: engine.random(),
  };
}

function announce({ engine, row, handler, span }: Attempt, { transition, durationMs }: Ended): void {
  const { id: eventId, type: eventType, subjectNo } = row;
  const { status, outcome, decision, failure } = transition;
  span.end({ 'lunchbox.outcome': outcome ?? 'none', 'lunchbox.decision': decision }, failure?.code ?? null);
  const settledAtMs = row.claimedAt.getTime() + durationMs;
  engine.signals.emit('attempt-ended', {
    eventId,
    eventType,
    subjectNo,
    attempt: row.attempt,
    target: handler.definition.target,
    status,
    outcome,
    decision,
    errorCode: failure?.code ?? null,
    durationMs: Math.round(durationMs),
    waitedMs: Math.max(0, row.claimedAt.getTime() - row.runAt.getTime()),
    endToEndMs: Math.max(0, Math.round(settledAtMs - row.createdAt.getTime())),
    requestId: row.requestId,
    traceparent: span.traceparent,
  });
  if (status === 'errored')
    engine.signals.emit('errored', { eventId, eventType, subjectNo, code: failure?.code ?? 'unknown' });
}
