import { z } from 'zod';
import { toRfc3339 } from '../base/clock.js';
import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { inIds } from '../database/rows.js';
import { Alert } from '../entities/alert.js';
import { AlertOccurrence } from '../entities/alert-occurrence.js';
import { BoxOrder } from '../entities/box-order.js';
import { EventAttempt } from '../entities/event-attempt.js';
import { OperatorAction } from '../entities/operator-action.js';
import { OrderStep } from '../entities/order-step.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { unpackExchanges } from '../outbox/exchanges.js';
import { orderView } from './view.js';

const timelineKinds = [
  'step',
  'event-recorded',
  'attempt',
  'event-settled',
  'alert',
  'operator-action',
] as const;
export const timelineEntry = z.object({
  at: z.string(),
  kind: z.enum(timelineKinds),
  what: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
type Entry = z.infer<typeof timelineEntry>;

/**
 * One story of an order, oldest first: our books, events, attempts with their exchanges, alerts, people.
 * Throws Problem `not-found`.
 */
export async function readTimeline(database: Database, orderId: string) {
  const order = await database.manager.findOneBy(BoxOrder, { id: orderId });
  if (!order) throw new Problem('not-found', { detail: 'there is no such order' });
  const events = await database.manager.find(OutboxEvent, {
    where: { subjectId: orderId },
    order: { id: 'ASC' },
  });
  const parts = await Promise.all([
    steps(database, order),
    attempts(database, events),
    alerts(database, orderId),
    actions(database, orderId),
  ]);
  const timeline = [...parts.flat(), ...events.flatMap(eventEntries)].sort(
    (a, b) => a.at.getTime() - b.at.getTime(),
  );
  return {
    order: orderView(order),
    timeline: timeline.map((entry) => ({ ...entry, at: toRfc3339(entry.at) })),
  };
}

type Dated = Omit<Entry, 'at'> & { at: Date };

async function steps(database: Database, order: BoxOrder): Promise<Dated[]> {
  const rows = await database.manager.find(OrderStep, { where: { orderId: order.id }, order: { id: 'ASC' } });
  return rows.map((row) => ({
    at: row.at,
    kind: 'step',
    what: row.kind,
    detail: {
      ...(JSON.parse(row.detail) as object),
      ...(row.kind === 'placed' ? { requestId: order.requestId } : {}),
    },
  }));
}

function eventEntries(event: OutboxEvent): Dated[] {
  const detail = { eventId: event.id, requestId: event.requestId };
  const recorded: Dated = { at: event.createdAt, kind: 'event-recorded', what: event.type, detail };
  if (!event.settledAt) return [recorded];
  return [
    recorded,
    {
      at: event.settledAt,
      kind: 'event-settled',
      what: event.type,
      detail: { ...detail, status: event.status, outcome: event.outcome },
    },
  ];
}

async function attempts(database: Database, events: readonly OutboxEvent[]): Promise<Dated[]> {
  if (events.length === 0) return [];
  const found = await Promise.all(
    events.map((event) =>
      database.manager.find(EventAttempt, { where: { eventId: event.id }, order: { number: 'ASC' } }),
    ),
  );
  return found.flat().map((attempt) => ({
    at: attempt.startedAt,
    kind: 'attempt',
    what: events.find((event) => event.id === attempt.eventId)?.type ?? '',
    detail: {
      eventId: attempt.eventId,
      number: attempt.number,
      trigger: attempt.trigger,
      worker: attempt.worker,
      finishedAt: attempt.finishedAt ? toRfc3339(attempt.finishedAt) : null,
      outcome: attempt.outcome,
      decision: attempt.decision,
      error: attempt.errorCode ? { code: attempt.errorCode, message: attempt.errorMessage } : null,
      exchanges: unpackExchanges(attempt.exchanges),
    },
  }));
}

async function alerts(database: Database, orderId: string): Promise<Dated[]> {
  const rows = await database.manager.find(AlertOccurrence, {
    where: { subjectId: orderId },
    order: { id: 'ASC' },
  });
  if (rows.length === 0) return [];
  const groups = await database.manager.findBy(Alert, { id: inIds(rows.map(({ alertId }) => alertId)) });
  return rows.map(({ at, alertId, eventId }) => {
    const group = groups.find(({ id }) => id === alertId);
    return {
      at,
      kind: 'alert',
      what: group?.kind ?? 'alert',
      detail: { alertId, eventId, cause: group?.cause ?? null },
    };
  });
}

async function actions(database: Database, orderId: string): Promise<Dated[]> {
  const rows = await database.manager.find(OperatorAction, {
    where: { subjectId: orderId },
    order: { id: 'ASC' },
  });
  return rows.map((row) => ({
    at: row.at,
    kind: 'operator-action',
    what: row.verb,
    detail: {
      actor: row.actor,
      role: row.role,
      target: `${row.targetType} ${row.targetId}`,
      reason: row.reason,
      ...findingOf(row.stateAfter),
    },
  }));
}

/** What a vendor said its books hold, when a person asked. */
function findingOf(stateAfter: string | null): { finding?: string } {
  const { finding } = JSON.parse(stateAfter ?? '{}') as { finding?: { outcome: string; text: string } };
  return finding ? { finding: `${finding.outcome}: ${finding.text}` } : {};
}
