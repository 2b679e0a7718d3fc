import { randomUUID } from 'node:crypto';
import { crashPoint } from '../base/crash-point.js';
import { type Span, startSpan } from '../base/trace.js';
import type { Database, Tx } from '../database/database.js';
import { raw, sql } from '../database/sql.js';
import type { Breaker } from './breaker.js';
import type { ClaimedRow } from './claim.js';
import { decide, INTERRUPTIONS_MAX, type Situation } from './decide.js';
import type { Registry } from './registry.js';
import type { Lease, Leases } from './renew.js';
import type { Ended } from './settle.js';
import { settleAnyhow } from './settle-anyhow.js';
import type { Settler } from './settle-group.js';
import type { Signals } from './signals.js';
import { sparedByBreaker } from './spare.js';
import {
  type AttemptOutcome,
  type ClaimedEvent,
  type EventHandler,
  type Exchange,
  type HandlerContext,
  LeaseLost,
} from './types.js';

export interface RunDependencies {
  readonly database: Database;
  readonly registry: Registry;
  readonly leases: Leases;
  readonly breakerOf: (target: string) => Breaker;
  readonly signals: Signals;
  readonly settler: Settler;
  readonly failuresMax: number;
  readonly retryDelayMs: number;
  readonly random: () => number;
  /** Aborted at shutdown, when the time to finish is over. */
  readonly shutdown: AbortSignal;
}

const ABORT_GRACE_MS = 1_000;

/** A row as this process holds it. */
export interface Held {
  readonly row: ClaimedRow;
  readonly handler: EventHandler;
  readonly lease: Lease;
  /** Monotonic instant of the claim. */
  readonly claimedAtMs: number;
}

export interface RunOptions {
  /** Not to be handled after all, and why: it goes back into the queue. */
  readonly handBack: string | undefined;
  /** Called once, when nothing more is asked of the handler: only the settling is left. */
  answered(): void;
}

/** One attempt, from the claimed row to the settled one: parse → handle → decide → settle. Never throws. */
export async function run(
  dependencies: RunDependencies,
  { row, handler, lease, claimedAtMs }: Held,
  options: RunOptions,
): Promise<void> {
  const { leases, signals } = dependencies;
  const startedMs = performance.now();
  const exchanges: Exchange[] = [];
  const span = startSpan(
    'consumer',
    `process ${row.type}`,
    row.traceparent,
    spanAttributes(row),
    row.traceparent,
  );
  try {
    if (isOver(lease, row, signals)) return span.end({}, 'lease-lost'); // while it waited for its slot, or the process stood still
    const event = toEvent(row, handler);
    const context = { exchanges, span, lease, claimedAtMs };
    let outcome: AttemptOutcome;
    if (options.handBack !== undefined)
      outcome = { kind: 'interrupted', reason: options.handBack, sent: false };
    else
      outcome =
        event instanceof Error ? payloadInvalid(event) : await answer(dependencies, handler, event, context);
    const known = event instanceof Error ? { ...row, payload: null } : event;
    await conclude(
      dependencies,
      row,
      { event: known, handler, exchanges, durationMs: performance.now() - startedMs },
      outcome,
      span,
      lease,
      options,
    );
  } catch (error) {
    signals.emit('settle-failed', { eventId: row.id, error }); // the lease runs out and the event falls due again
    span.end({}, 'settle-failed');
  } finally {
    leases.letGo(lease);
    options.answered();
  }
}

/** A lease that is over is lost, and told once. */
function isOver(
  lease: Lease,
  { id, attempt }: Pick<ClaimedRow, 'id' | 'attempt'>,
  signals: Signals,
): boolean {
  if (lease.isOver && !lease.isLost) {
    signals.emit('lease-lost', { eventId: id, attempt });
    lease.lose();
  }
  return lease.isLost;
}

/** By the conventions for messaging, which may still change: nowhere else but here. */
function spanAttributes(row: ClaimedRow) {
  return {
    'messaging.system': 'lunchbox',
    'messaging.operation.type': 'process',
    'messaging.destination.name': row.type,
    'messaging.message.id': row.id,
    'lunchbox.attempt': row.attempt,
  };
}

function toEvent(row: ClaimedRow, handler: EventHandler): ClaimedEvent | Error {
  try {
    const payload = handler.definition.schema.parse(JSON.parse(row.payload));
    return { ...row, payload };
  } catch (error) {
    return error as Error;
  }
}

function payloadInvalid(error: Error): AttemptOutcome {
  return {
    kind: 'give-up',
    failure: {
      outcome: 'not-applied',
      code: 'payload-invalid',
      message: `nothing can be compensated: the stored payload does not fit its schema: ${error.message}`,
    },
  };
}

interface AttemptContext {
  readonly exchanges: Exchange[];
  readonly span: Span;
  readonly lease: Lease;
  readonly claimedAtMs: number;
}

async function answer(
  dependencies: RunDependencies,
  handler: EventHandler,
  event: ClaimedEvent,
  attempt: AttemptContext,
): Promise<AttemptOutcome> {
  if (event.interruptions >= INTERRUPTIONS_MAX)
    return {
      kind: 'interrupted',
      reason: `${event.interruptions} attempts in a row ended without a word`,
      sent: true,
    };
  if (dependencies.shutdown.aborted)
    return { kind: 'interrupted', reason: 'the process was shutting down', sent: false };
  const { lease } = attempt;
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    lease.abort(new DOMException(`no answer within ${handler.limits.deadlineMs} ms`, 'TimeoutError'));
  }, handler.limits.deadlineMs);
  crashPoint('before-handle');
  try {
    const outcome = await untilAborted(
      handler.handle(event, createContext(dependencies, handler.definition.target, event, attempt)),
      lease,
    );
    crashPoint('after-handle');
    return dependencies.shutdown.aborted && (outcome.kind === 'retry' || outcome.kind === 'ask-again')
      ? {
          kind: 'interrupted',
          reason: 'the process was shutting down',
          sent: outcome.failure.outcome === 'unknown' && outcome.failure.sentNothing !== true,
        }
      : outcome;
  } catch (error) {
    if (dependencies.shutdown.aborted)
      return { kind: 'interrupted', reason: 'the process was shutting down', sent: true };
    const code = isLate ? 'deadline-exceeded' : 'handler-threw';
    const message = isLate
      ? `no answer within ${handler.limits.deadlineMs} ms`
      : error instanceof Error
        ? `${error.name}: ${error.message}`
        : 'not an Error';
    return { kind: 'retry', failure: { outcome: 'unknown', code, message } };
  } finally {
    clearTimeout(deadline);
  }
}

/** A handler that ignores its signal must not keep the event for ever. */
function untilAborted<T>(work: Promise<T>, lease: Lease): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = lease.whenAborted(ABORT_GRACE_MS, reject);
    work.then(resolve, reject).finally(callOff);
  });
}

function createContext(
  { database, signals }: RunDependencies,
  target: string,
  event: ClaimedEvent,
  { exchanges, span, lease, claimedAtMs }: AttemptContext,
): HandlerContext {
  const claimedAt = (event as ClaimedEvent & { claimedAt: Date }).claimedAt.getTime();
  return {
    get signal() {
      return lease.signal;
    },
    mayStart: () => !isOver(lease, event, signals),
    now: () => new Date(claimedAt + (performance.now() - claimedAtMs)),
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
        await assertLease(tx, event);
        return work(tx);
      });
    },
  };
}

async function assertLease(tx: Tx, event: ClaimedEvent): Promise<void> {
  const held = await tx.query(sql`
    SELECT id FROM outbox_event ${raw(tx.dialect.byPrimaryKey)} WHERE id = ${event.id} AND attempt = ${event.attempt} AND status = 'pending' AND lease_until IS NOT NULL ${raw(tx.dialect.forUpdate)}`);
  if (held.length === 0) throw new LeaseLost();
}

type Attempt = Pick<Ended, 'event' | 'handler' | 'exchanges' | 'durationMs'>;

async function conclude(
  dependencies: RunDependencies,
  row: ClaimedRow,
  attempt: Attempt,
  outcome: AttemptOutcome,
  span: Span,
  lease: Lease,
  options: RunOptions,
): Promise<void> {
  const { settler, signals } = dependencies;
  if (lease.isLost) return span.end({}, 'lease-lost'); // whoever holds the lease now writes
  const { limits } = attempt.handler;
  const decideOn = (answered: AttemptOutcome) => decide(answered, situationOf(dependencies, row, attempt));
  const answered = sparedByBreaker(outcome, {
    breaker: dependencies.breakerOf(attempt.handler.definition.target),
    exchanges: attempt.exchanges,
    isTooLate: row.deadlineAt !== null && row.deadlineAt <= row.claimedAt,
    retryDelayMs: limits.retryDelayMs ?? dependencies.retryDelayMs,
  });
  options.answered();
  const effect = 'effect' in answered ? answered.effect : undefined;
  const first: Ended = {
    ...attempt,
    transition: decideOn(answered),
    effect,
    without: attempt.event.payload === null ? ['compensation'] : [],
    progress: { step: 'event' },
  };
  const { settled, ended } = await settleAnyhow(
    first,
    (one) => settler.settle(one, lease),
    decideOn,
    (error) => signals.emit('alert-failed', { eventId: row.id, eventType: row.type, error }),
  );
  if (!settled) {
    signals.emit('lease-lost', { eventId: row.id, attempt: row.attempt });
    return span.end({}, 'lease-lost');
  }
  const { transition } = ended;
  span.end(
    { 'lunchbox.outcome': transition.outcome ?? 'none', 'lunchbox.decision': transition.decision },
    transition.failure?.code ?? null,
  );
  announce(signals, row, ended, span.traceparent);
}

/** As it stood when the handler answered: instants are the database's, carried on by this process's clock. */
function situationOf(
  { failuresMax, retryDelayMs, random }: RunDependencies,
  row: ClaimedRow,
  { handler: { limits }, durationMs }: Attempt,
): Situation {
  const endedMs = row.claimedAt.getTime() + durationMs;
  return {
    failures: row.failures,
    interruptions: row.interruptions,
    snoozedForMs: row.snoozeSince ? row.claimedAt.getTime() - row.snoozeSince.getTime() : null,
    vainQuestions: row.vainQuestions,
    vainForMs: row.vainSince ? endedMs - row.vainSince.getTime() : null,
    deadlineInMs: limits.asksUntilDeadline && row.deadlineAt ? row.deadlineAt.getTime() - endedMs : null,
    inDoubt: row.unknownAt !== null,
    failuresMax: limits.failuresMax ?? failuresMax,
    retryDelayMs: limits.retryDelayMs ?? retryDelayMs,
    maxSnoozeMs: limits.maxSnoozeMs,
    random: random(),
  };
}

function announce(
  signals: Signals,
  row: ClaimedRow,
  { handler, transition, durationMs }: Ended,
  traceparent: string,
): void {
  const settledAtMs = row.claimedAt.getTime() + durationMs;
  signals.emit('attempt-ended', {
    eventId: row.id,
    eventType: row.type,
    subjectNo: row.subjectNo,
    attempt: row.attempt,
    target: handler.definition.target,
    status: transition.status,
    outcome: transition.outcome,
    decision: transition.decision,
    errorCode: transition.failure?.code ?? null,
    durationMs: Math.round(durationMs),
    waitedMs: Math.max(0, row.claimedAt.getTime() - row.runAt.getTime()),
    endToEndMs: Math.max(0, Math.round(settledAtMs - row.createdAt.getTime())),
    requestId: row.requestId,
    traceparent,
  });
  if (transition.status === 'errored')
    signals.emit('errored', {
      eventId: row.id,
      eventType: row.type,
      subjectNo: row.subjectNo,
      code: transition.failure?.code ?? 'unknown',
    });
}
