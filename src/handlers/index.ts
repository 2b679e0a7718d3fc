import type { AlertRules } from '../alerts/raise.js';
import { Registry } from '../outbox/registry.js';
import type { EventHandler } from '../outbox/types.js';
import { alertSend } from './alert-send.js';
import { booksCompare } from './books-compare.js';
import { cabinetCard } from './cabinet-card.js';
import { coffeeRefund } from './coffee-refund.js';
import { complaintRefund } from './complaint-refund.js';
import { complaintReminder } from './complaint-reminder.js';
import { consumptionSync } from './consumption-sync.js';
import type { ProcessDependencies } from './dependencies.js';
import { dinerCard } from './diner-card.js';
import { energyCancel } from './energy-cancel.js';
import { energyRollback } from './energy-rollback.js';
import { eventBatch } from './event-batch.js';
import type { EventType } from './event-type.js';
import { fulfilmentClose } from './fulfilment-close.js';
import { housekeeping } from './housekeeping.js';
import { meicanCancel } from './meican-cancel.js';
import { meicanNewOrder } from './meican-new-order.js';

/** THE list: every event type that lunchbox carries out, in the order in which people read of them. */
export const eventTypes: readonly EventType[] = [
  meicanNewOrder,
  meicanCancel,
  energyCancel,
  energyRollback,
  consumptionSync,
  coffeeRefund,
  fulfilmentClose,
  complaintRefund,
  complaintReminder,
  dinerCard,
  cabinetCard,
  alertSend,
  eventBatch,
  booksCompare,
  housekeeping,
];

const byType = new Map(eventTypes.map((eventType) => [eventType.type, eventType]));

/** Undefined for a type that only a newer process knows. */
export function eventTypeOf(type: string): EventType | undefined {
  return byType.get(type);
}

export function alertRulesOf(type: string): AlertRules | undefined {
  return eventTypeOf(type)?.alerts;
}

export function createHandlers(dependencies: ProcessDependencies): EventHandler<never>[] {
  const handlers = eventTypes.map((eventType) =>
    eventType.createHandler({
      ...dependencies,
      registry: () => registry,
      alertNameOf: (type) => eventTypeOf(type)?.words.zh.name,
    }),
  ) as EventHandler<never>[];
  const registry = new Registry(handlers);
  return handlers;
}
