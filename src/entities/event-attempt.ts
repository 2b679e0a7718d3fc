import { Entity } from 'typeorm';
import {
  Instant,
  KeyRef,
  KeyWhole,
  OptionalHugeText,
  OptionalInstant,
  OptionalText,
  OptionalWhole,
  Text,
} from './columns.js';
import type { VendorOutcome } from './outbox-event.js';

/** What started the attempt: a scheduler's claim, or a request that carries its own events out at once. */
export type Trigger = 'poll' | 'inline';

/** One call to a vendor, as a person reads it later. No secrets, no personal data; each side at most 16 KiB. */
export interface Exchange {
  readonly call: string;
  readonly at: string;
  readonly durationMs: number;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  readonly answer: {
    readonly status: number | null;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string | null;
  } | null;
  readonly outcome: VendorOutcome;
  readonly code: string | null;
}

/**
 * Written when the attempt starts, completed when it ends. An attempt that never ended has no `finished_at`.
 */
@Entity('event_attempt')
export class EventAttempt {
  @KeyRef('event_id') eventId!: string;
  @KeyWhole('number') number!: number;
  @Text('trigger', 8) trigger!: Trigger;
  @Text('worker', 100) worker!: string;
  @Instant('started_at') startedAt!: Date;
  @OptionalInstant('finished_at') finishedAt!: Date | null;
  /** By the worker's monotonic clock. */
  @OptionalWhole('duration_ms') durationMs!: number | null;
  @OptionalText('outcome', 12) outcome!: VendorOutcome | null;
  /** What the engine decided, as a sentence. */
  @OptionalText('decision', 200) decision!: string | null;
  @OptionalText('error_code', 64) errorCode!: string | null;
  @OptionalText('error_message', 500) errorMessage!: string | null;
  /** JSON: the calls to vendors in order, redacted, at most 16 KiB a side. */
  @OptionalHugeText('exchanges') exchanges!: string | null;
}
