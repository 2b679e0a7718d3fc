import { Registry } from '../outbox/registry.js';
import type { EventHandler } from '../outbox/types.js';
import { type AlertSendDependencies, createAlertSend } from './alert-send.js';
import { createBooksCompare } from './books-compare.js';
import { createCoffeeRefund } from './coffee-refund.js';
import { createConsumptionSync } from './consumption-sync.js';
import { createDinerCard } from './diner-card.js';
import { createEnergyCancel, type EnergyDependencies } from './energy-cancel.js';
import { createEnergyRollback } from './energy-rollback.js';
import { createEventBatch } from './event-batch.js';
import { createHousekeeping, type HousekeepingDependencies } from './housekeeping.js';
import { createMeicanCancel } from './meican-cancel.js';
import { createMeicanNewOrder, type MeicanNewOrderDependencies } from './meican-new-order.js';

export interface HandlerDependencies {
  readonly meican: MeicanNewOrderDependencies;
  readonly energy: EnergyDependencies;
  readonly wecom: AlertSendDependencies;
  readonly housekeeping: HousekeepingDependencies;
}

/** THE list: every event type that lunchbox carries out. */
export function createHandlers({
  meican,
  energy,
  wecom,
  housekeeping,
}: HandlerDependencies): EventHandler<never>[] {
  const handlers = [
    createMeicanNewOrder(meican),
    createMeicanCancel(meican),
    createEnergyCancel(energy),
    createEnergyRollback(energy),
    createConsumptionSync(energy),
    createCoffeeRefund(energy),
    createDinerCard(wecom),
    createAlertSend(wecom),
    createBooksCompare({ ...meican, energy: energy.energy }),
    createEventBatch({ ...energy, registry: () => registry }),
    createHousekeeping(housekeeping),
  ] as unknown as EventHandler<never>[];
  const registry = new Registry(handlers);
  return handlers;
}
