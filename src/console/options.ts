import type { Database } from '../database/database.js';
import type { Authenticate } from '../http/auth.js';
import type { ComplaintRules } from '../orders/complaint-rules.js';
import type { Outbox } from '../outbox/outbox.js';
import type { EventDefinition } from '../outbox/types.js';

/** What happens by itself. Given by the wiring, because the console imports no handler. */
interface Recurring {
  readonly books: {
    readonly definition: EventDefinition<{ day: string; slot: string }>;
    readonly cron: string;
  };
  readonly housekeeping: { readonly definition: EventDefinition<{ slot: string }>; readonly cron: string };
  /** The event that ends an unpaid order. */
  readonly unpaid: { readonly type: string };
}

export interface ConsoleOptions {
  /** Where people's acts are written. */
  readonly database: Database;
  /**
   * Where pages are read from: a small pool of its own, so that looking never takes a connection from orders.
   */
  readonly reading: Database;
  readonly outbox: Outbox;
  readonly authenticate: Authenticate;
  /** Written on every page, so that production is never taken for a test. */
  readonly environment: string;
  readonly readOnly: boolean;
  /** Cookies travel over TLS only. */
  readonly secureCookies: boolean;
  /** In front of every link, where a proxy serves the console below a path. */
  readonly linkPrefix: string;
  readonly schedulerCron: string;
  readonly recurring: Recurring;
  readonly batchSize: number;
  readonly complaints: ComplaintRules;
  readonly traceLink: string | undefined;
  readonly logLink: string | undefined;
}
