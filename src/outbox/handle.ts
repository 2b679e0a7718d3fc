import { randomUUID } from 'node:crypto';
import { crashPoint } from '../base/crash-point.js';
import type { Tx } from '../database/database.js';
import { type Attempt, isLeaseOver } from './attempt.js';
import { INTERRUPTIONS_MAX } from './decide.js';
import type { Lease } from './renew.js';
import { lockLeased } from './statements.js';
import { type AttemptOutcome, type ClaimedEvent, type HandlerContext, LeaseLost } from './types.js';

/** A handler that was aborted and does not answer is given up after so long. Milliseconds. */
const ABORT_GRACE_MS = 1_000;

/** Calls the handler, within its deadline and its lease; whatever happens is an outcome. Never throws. */
export async function handle(attempt: Attempt, event: ClaimedEvent): Promise<AttemptOutcome> {
  const { handler, lease, engine } = attempt;
  if (event.interruptions >= INTERRUPTIONS_MAX)
    return interrupted(`${event.interruptions} attempts in a row ended without a word`, true);
  if (engine.shutdown.aborted) return interrupted(SHUTTING_DOWN, false);
  const late = `no answer within ${handler.limits.deadlineMs} ms`;
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    lease.abort(new DOMException(late, 'TimeoutError'));
  }, handler.limits.deadlineMs);
  crashPoint('before-handle');
  try {
    const outcome = await untilAborted(handler.handle(event, contextOf(attempt, event)), lease);
    crashPoint('after-handle');
    return engine.shutdown.aborted ? sparedByShutdown(outcome) : outcome;
  } catch (error) {
    if (engine.shutdown.aborted) return interrupted(SHUTTING_DOWN, true);
    return isLate ? threw('deadline-exceeded', late) : threw('handler-threw', messageOf(error));
  } finally {
    clearTimeout(deadline);
  }
}

const SHUTTING_DOWN = 'the process was shutting down';

function interrupted(reason: string, sent: boolean): AttemptOutcome {
  return { kind: 'interrupted', reason, sent };
}

function threw(code: string, message: string): AttemptOutcome {
  return { kind: 'retry', failure: { outcome: 'unknown', code, message } };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'not an Error';
}

/** What failed because this process is ending is no failure of the event. */
function sparedByShutdown(outcome: AttemptOutcome): AttemptOutcome {
  if (outcome.kind !== 'retry' && outcome.kind !== 'ask-again') return outcome;
  const { failure } = outcome;
  return interrupted(SHUTTING_DOWN, failure.outcome === 'unknown' && failure.sentNothing !== true);
}

/** A handler that ignores its signal must not keep the event for ever. */
function untilAborted<T>(work: Promise<T>, lease: Lease): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = lease.whenAborted(ABORT_GRACE_MS, reject);
    work.then(resolve, reject).finally(callOff);
  });
}

function contextOf(attempt: Attempt, event: ClaimedEvent): HandlerContext {
  const { row, lease, span, exchanges, claimedAtMs, handler } = attempt;
  const { database, signals } = attempt.engine;
  const { target } = handler.definition;
  return {
    get signal() {
      return lease.signal;
    },
    mayStart: () => !isLeaseOver(attempt),
    now: () => new Date(row.claimedAt.getTime() + (performance.now() - claimedAtMs)),
    journal: (exchange) => {
      exchanges.push(exchange);
      const { call, outcome, durationMs } = exchange;
      signals.emit('called', { target, call, outcome, durationMs });
      crashPoint('after-call');
    },
    requestId: event.requestId ?? randomUUID(),
    traceparent: span.traceparent,
    step: async (work) => {
      if (lease.isOver) throw new LeaseLost();
      return database.transaction(async (tx) => {
        await assertLeased(tx, event);
        return work(tx);
      });
    },
  };
}

async function assertLeased(tx: Tx, { id, attempt }: ClaimedEvent): Promise<void> {
  const held = await tx.query(lockLeased(id, attempt));
  if (held.length === 0) throw new LeaseLost();
}
