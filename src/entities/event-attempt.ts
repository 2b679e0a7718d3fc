import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Instant, OptionalInstant, OptionalText, Text } from './columns.js';
import type { VendorOutcome } from './outbox-event.js';

export const triggers = ['poll', 'inline', 'replay'] as const;
export type Trigger = (typeof triggers)[number];

/** One attempt: written when it starts, completed when it ends. One that never ended says so by having no `finished_at`. */
@Entity('event_attempt')
export class EventAttempt {
  @PrimaryColumn({
    name: 'event_id',
    type: 'bigint',
    transformer: { from: String, to: (value: unknown) => value },
  })
  eventId!: string;
  @PrimaryColumn({ name: 'number', type: 'int' }) number!: number;
  @Text('trigger') trigger!: Trigger;
  @Text('worker') worker!: string;
  @Instant('started_at') startedAt!: Date;
  @OptionalInstant('finished_at') finishedAt!: Date | null;
  /** By the worker's monotonic clock. */
  @Column({ name: 'duration_ms', type: 'int', nullable: true }) durationMs!: number | null;
  @OptionalText('outcome') outcome!: VendorOutcome | null;
  /** What the engine decided, as a sentence. */
  @OptionalText('decision') decision!: string | null;
  @OptionalText('error_code') errorCode!: string | null;
  @OptionalText('error_message') errorMessage!: string | null;
  /** JSON: the calls to vendors in order, redacted, at most 16 KiB a side. */
  @OptionalText('exchanges') exchanges!: string | null;
}
