import { EventEmitter } from 'node:events';
import type { VendorOutcome } from '../entities/outbox-event.js';
import type { BreakerView } from './breaker.js';

/** What the engine tells logs, metrics and tests. Nothing depends on a listener. */
interface OutboxSignals {
  claimed: [{ ids: string[]; worker: string; trigger: string }];
  'attempt-ended': [
    {
      eventId: string;
      eventType: string;
      subjectNo: string | null;
      attempt: number;
      target: string;
      status: string;
      outcome: VendorOutcome | null;
      decision: string;
      errorCode: string | null;
      durationMs: number;
      /** From due to claimed. */
      waitedMs: number;
      /** From recorded to settled. */
      endToEndMs: number;
      requestId: string | null;
      traceparent: string;
    },
  ];
  /** One call of an attempt. */
  called: [{ target: string; call: string; outcome: VendorOutcome; durationMs: number }];
  errored: [{ eventId: string; eventType: string; subjectNo: string | null; code: string }];
  'lease-lost': [{ eventId: string; attempt: number }];
  'left-alone': [{ type: string; version: number; count: number }];
  swept: [{ claimed: number; durationMs: number }];
  'sweep-failed': [{ error: unknown }];
  'settle-failed': [{ eventId: string; error: unknown }];
  /** The alert about an errored event, or one that asks in vain, could not be raised. */
  'alert-failed': [{ eventId: string; eventType: string; error: unknown }];
  'renew-failed': [{ error: unknown }];
  /** A vendor's breaker changed, or a canary failed again. */
  breaker: [BreakerView];
}

export class Signals extends EventEmitter<OutboxSignals> {}
