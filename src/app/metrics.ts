import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { version } from '../base/version.js';
import type { Database } from '../database/database.js';
import { onAct } from '../operate/audit.js';
import { readOverview } from '../operate/overview.js';
import { countWaiting } from '../orders/read-complaints.js';
import type { Signals } from '../outbox/signals.js';

/** Few and wide: every bucket of every label is a series. */
const BUCKETS_S = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10];
const SLOW_BUCKETS_S = [0.1, 0.5, 1, 5, 15, 60, 300, 1800];
/** Routes that are told apart; a label for each would be a hundred series. */
const routeNames: Record<string, string> = {
  'POST /v1/orders': 'place',
  'POST /v1/orders/:id/cancel': 'cancel',
};
/** The table is counted at most so often, and only while somebody scrapes. Milliseconds. */
const COUNT_EVERY_MS = 15_000;

/** What the process measures of itself. Listens to signals; nothing depends on it. */
export interface Metrics {
  /** The text of a scrape. Never waits for the database: what it shows of the table is at most fifteen seconds and one scrape old. */
  scrape(): Promise<string>;
  readonly contentType: string;
  lockUnavailable(): void;
  lockWaited(seconds: number): void;
  request(route: string, method: string, status: number, seconds: number): void;
}

export function createMetrics(signals: Signals, database: Database): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 }); // milliseconds; the default of 10 wakes an idle process a hundred times a second
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `lunchbox_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name: `lunchbox_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets = BUCKETS_S) =>
    new Histogram({ name: `lunchbox_${name}`, help, labelNames, buckets, registers });

  gauge('build_info', '1; the version of this build', ['version', 'node']).set(
    { version, node: process.versions.node },
    1,
  );
  const attempts = counter('event_attempts_total', 'Ended attempts', ['type', 'outcome', 'status']);
  const endToEnd = histogram(
    'event_end_to_end_seconds',
    'From recorded to handled',
    ['type'],
    SLOW_BUCKETS_S,
  );
  const wait = histogram('event_wait_seconds', 'From due to claimed', [], SLOW_BUCKETS_S);
  const duration = histogram('event_attempt_duration_seconds', 'From claimed to settled', ['target']);
  const polls = counter('poll_runs_total', 'Sweeps', ['result']);
  const pollDuration = histogram('poll_duration_seconds', 'Sweeps', []);
  const lastPoll = gauge('poll_last_success_timestamp_seconds', 'When the last sweep ended well', []);
  const lost = counter('leases_lost_total', 'Attempts whose lease was lost', []);
  const leftAlone = counter(
    'events_left_alone_total',
    'Events of an unknown type or a newer payload version, put aside',
    ['type'],
  );
  const lockFailures = counter(
    'lock_failures_total',
    'Requests that went on without their lock because Redis was away',
    [],
  );
  const lockWait = histogram('lock_wait_seconds', 'Waiting for the lock of a user or an order', []);
  const breakers = gauge('breaker_open', '1 while a vendor is known to be down', ['target']);
  const pending = gauge('events_pending', 'Events to be carried out, counted up to 10 001', ['type']);
  const errored = gauge('events_errored', 'Events that wait for a person, counted up to 10 001', ['type']);
  const unknown = gauge('events_unknown', 'Errored events whose outcome is unknown, counted up to 10 001', [
    'type',
  ]);
  const oldest = gauge('events_oldest_due_age_seconds', 'How long the oldest due event has been due', []);
  const complaints = gauge('complaints_waiting', 'Complaints that wait for a person', ['state']);
  const oldestComplaint = gauge(
    'complaints_oldest_wait_seconds',
    'How long the complaint that waits longest has waited',
    [],
  );
  const alerts = counter('alerts_sent_total', 'Messages to people', ['channel', 'result']);
  const acts = counter('operator_actions_total', 'What people did by hand', ['verb', 'result']);
  onAct(database, (verb) => acts.inc({ verb, result: 'done' }));
  const requests = histogram('http_server_request_duration_seconds', 'Requests of the API', [
    'route',
    'status',
  ]);
  const calls = histogram('http_client_request_duration_seconds', 'Calls to vendors', [
    'target',
    'call',
    'outcome',
  ]);

  signals.on('breaker', ({ target, state }) => breakers.set({ target }, state === 'closed' ? 0 : 1));
  signals.on('attempt-ended', (attempt) => {
    attempts.inc({ type: attempt.eventType, outcome: attempt.outcome ?? 'none', status: attempt.status });
    wait.observe(attempt.waitedMs / 1000);
    duration.observe({ target: attempt.target }, attempt.durationMs / 1000);
    if (attempt.status === 'handled')
      endToEnd.observe({ type: attempt.eventType }, attempt.endToEndMs / 1000);
  });
  signals.on('swept', ({ durationMs }) => {
    polls.inc({ result: 'ok' });
    pollDuration.observe(durationMs / 1000);
    lastPoll.setToCurrentTime();
  });
  signals.on('sweep-failed', () => polls.inc({ result: 'failed' }));
  signals.on('called', ({ target, call, outcome, durationMs }) => {
    calls.observe({ target, call, outcome }, durationMs / 1000);
    if (call.startsWith('wecom.')) alerts.inc({ channel: call, result: outcome });
  });
  signals.on('lease-lost', () => lost.inc());
  signals.on('left-alone', ({ type, count }) => leftAlone.inc({ type }, count));

  let countedMs = Number.NEGATIVE_INFINITY;
  const count = async (): Promise<void> => {
    if (performance.now() - countedMs < COUNT_EVERY_MS) return;
    countedMs = performance.now();
    const { types, oldestDueAt, now } = await readOverview(database);
    for (const of of [pending, errored, unknown]) of.reset();
    for (const one of types) {
      pending.set({ type: one.type }, one.pending);
      errored.set({ type: one.type }, one.errored);
      unknown.set({ type: one.type }, one.unknown);
    }
    await countComplaints(now);
    oldest.set(oldestDueAt ? Math.max(0, (now.getTime() - oldestDueAt.getTime()) / 1000) : 0);
  };

  async function countComplaints(now: Date): Promise<void> {
    const waiting = await countWaiting(database);
    complaints.reset();
    for (const { state, count: n } of waiting) complaints.set({ state }, n);
    const sinceMs = Math.min(now.getTime(), ...waiting.map(({ since }) => since.getTime()));
    oldestComplaint.set((now.getTime() - sinceMs) / 1000);
  }

  return {
    contentType: registry.contentType,
    scrape() {
      void count().catch(() => {}); // the next scrape shows it; while the database is away the last numbers stay
      return registry.metrics();
    },
    lockUnavailable: () => lockFailures.inc(),
    lockWaited: (seconds) => lockWait.observe(seconds),
    request: (route, method, status, seconds) =>
      requests.observe(
        { route: routeNames[`${method} ${route}`] ?? 'other', status: `${Math.floor(status / 100)}xx` },
        seconds,
      ),
  };
}
