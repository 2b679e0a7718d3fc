import type { Clock } from '../base/clock.js';
import type { EnergyClient } from '../clients/energy.js';
import type { MeicanClient } from '../clients/meican.js';
import type { WecomClient } from '../clients/wecom.js';
import type { Database } from '../database/database.js';
import type { Registry } from '../outbox/registry.js';
import type { Retention } from './retention.js';

export interface MeicanDependencies {
  readonly database: Database;
  readonly meican: MeicanClient;
  /**
   * An order that is missing from the day list is absent only when the last doubtful call is older than this.
   * Milliseconds.
   */
  readonly settleMs: number;
  readonly timeoutMs: number;
}

export interface EnergyDependencies {
  readonly database: Database;
  readonly energy: EnergyClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export interface WecomDependencies {
  readonly database: Database;
  readonly wecom: WecomClient;
  readonly publicUrl: string;
  /** WeCom user ids that get an application message when the robot is dead. */
  readonly onCallUsers: readonly string[];
  readonly timeoutMs: number;
  /** Logs an alert at fatal: no channel is configured, or the robot is dead. */
  readonly lastResort: (reason: string, text: string) => void;
}

/** Milliseconds. */
export interface FulfilmentWindows {
  /** From IN_CABINET to NOT_PICKED_UP. */
  readonly pickupMs: number;
  /** From PICKED_UP or NOT_PICKED_UP to COMPLETED: so long the diner may complain. */
  readonly complaintMs: number;
}

export interface FulfilmentDependencies {
  readonly database: Database;
  readonly windows: FulfilmentWindows;
}

export interface ComplaintDependencies {
  readonly database: Database;
  readonly windows: FulfilmentWindows;
  /** What waits for a person for so long is told, and again after each such time. Milliseconds. */
  readonly alertAfterMs: number;
}

export interface HousekeepingDependencies {
  readonly database: Database;
  readonly retention: Retention;
}

/** What the process gives to all handlers. */
export interface ProcessDependencies {
  readonly meican: MeicanDependencies;
  readonly energy: EnergyDependencies;
  readonly wecom: WecomDependencies;
  readonly fulfilment: FulfilmentDependencies;
  readonly complaints: ComplaintDependencies;
  readonly housekeeping: HousekeepingDependencies;
}

/** `index.ts` adds what depends on the list of event types itself. */
export interface HandlerDependencies extends ProcessDependencies {
  /** A function, because the registry exists only after all handlers have been created. */
  readonly registry: () => Registry;
  /** The name of an event type in the alerts' language; undefined for an unknown type. */
  readonly alertNameOf: (type: string) => string | undefined;
}
