import { type Span, startSpan } from '../base/trace.js';
import type { Database } from '../database/database.js';
import type { Exchange } from '../entities/event-attempt.js';
import type { Breaker } from './breaker.js';
import type { ClaimedRow } from './claim.js';
import type { Lease, Leases } from './renew.js';
import type { Settler } from './settle-group.js';
import type { Signals } from './signals.js';
import type { EventHandler } from './types.js';

export interface RunDependencies {
  readonly database: Database;
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

/** What one attempt carries from its start to its end. */
export interface Attempt extends Held {
  readonly engine: RunDependencies;
  readonly options: RunOptions;
  readonly span: Span;
  readonly exchanges: Exchange[];
}

export function beginAttempt(engine: RunDependencies, held: Held, options: RunOptions): Attempt {
  const { type, traceparent } = held.row;
  const span = startSpan('consumer', `process ${type}`, traceparent, attributesOf(held.row), traceparent);
  const { row, handler, lease, claimedAtMs } = held; // named, because a spread costs several microseconds
  return { row, handler, lease, claimedAtMs, engine, options, span, exchanges: [] };
}

/** By the conventions for messaging, which may still change: nowhere else but here. */
function attributesOf({ type, id, attempt }: ClaimedRow) {
  return {
    'messaging.system': 'lunchbox',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.message.id': id,
    'lunchbox.attempt': attempt,
  };
}

/** The lease is lost, or has run out by this process's clock, which counts as lost and is reported once. */
export function isLeaseOver({ lease, row, engine }: Attempt): boolean {
  if (lease.isOver && !lease.isLost) {
    engine.signals.emit('lease-lost', { eventId: row.id, attempt: row.attempt });
    lease.lose();
  }
  return lease.isLost;
}
