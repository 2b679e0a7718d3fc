import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Signals } from './outbox/signals.js';

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What the process measures of itself. Listens to signals; nothing depends on it. */
export interface Metrics {
  readonly registry: Registry;
  lockUnavailable(): void;
}

export function createMetrics(signals: Signals): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const attempts = new Counter({
    name: 'lunchbox_event_attempts_total',
    help: 'Ended attempts',
    labelNames: ['type', 'outcome', 'status'],
    registers: [registry],
  });
  const endToEnd = new Histogram({
    name: 'lunchbox_event_end_to_end_seconds',
    help: 'From recorded to handled',
    labelNames: ['type'],
    buckets: [...BUCKETS_S, 30, 60, 300, 1800],
    registers: [registry],
  });
  const polls = new Counter({ name: 'lunchbox_poll_runs_total', help: 'Sweeps', labelNames: ['result'], registers: [registry] });
  const lost = new Counter({ name: 'lunchbox_leases_lost_total', help: 'Attempts whose lease was lost', registers: [registry] });
  const leftAlone = new Counter({
    name: 'lunchbox_events_left_alone_total',
    help: 'Events of an unknown type or a newer payload version, put aside',
    labelNames: ['type'],
    registers: [registry],
  });
  const lockFailures = new Counter({
    name: 'lunchbox_lock_failures_total',
    help: 'Requests that went on without their lock because Redis was away',
    registers: [registry],
  });

  const breakers = new Gauge({ name: 'lunchbox_breaker_open', help: '1 while a vendor is known to be down', labelNames: ['target'], registers: [registry] });

  signals.on('breaker', ({ target, state }) => breakers.set({ target }, state === 'closed' ? 0 : 1));
  signals.on('attempt-ended', (attempt) => {
    attempts.inc({ type: attempt.eventType, outcome: attempt.outcome ?? 'none', status: attempt.status });
    if (attempt.status === 'handled') endToEnd.observe({ type: attempt.eventType }, attempt.endToEndMs / 1000);
  });
  signals.on('swept', () => polls.inc({ result: 'ok' }));
  signals.on('sweep-failed', () => polls.inc({ result: 'failed' }));
  signals.on('lease-lost', () => lost.inc());
  signals.on('left-alone', ({ type, count }) => leftAlone.inc({ type }, count));
  return { registry, lockUnavailable: () => lockFailures.inc() };
}
