import { Entity } from 'typeorm';
import { Id, Instant, OptionalInstant, OptionalText, Text, Whole } from './columns.js';

export const eventStatuses = ['pending', 'handled', 'errored', 'discarded'] as const;
export type EventStatus = (typeof eventStatuses)[number];

/** What is known of a vendor's books after a call. */
export const vendorOutcomes = ['applied', 'rejected', 'not-applied', 'unknown'] as const;
export type VendorOutcome = (typeof vendorOutcomes)[number];

/** A row of the local message table: something that must still happen outside, or did. */
@Entity('outbox_event')
export class OutboxEvent {
  @Id() id!: string;
  @Text('type') type!: string;
  /** pending → handled | errored | discarded; errored → pending | discarded by a person. */
  @Text('status') status!: EventStatus;
  /** What the event is about, for search: the id and the number of an order, a record, a trade. */
  @OptionalText('subject_id') subjectId!: string | null;
  @OptionalText('subject_no') subjectNo!: string | null;
  /** JSON in the shape of the handler's schema, at most 16 KiB. */
  @Text('payload') payload!: string;
  @Whole('payload_version') payloadVersion!: number;
  /** UNIQUE: the same thing is recorded once, however often it is asked for. */
  @Text('dedupe_key') dedupeKey!: string;
  /** Events with the same key run one at a time, in the order recorded. */
  @OptionalText('ordering_key') orderingKey!: string | null;
  /** The fence: raised by each claim; every later write names it. */
  @Whole('attempt') attempt!: number;
  /** Attempts that failed for a reason of their own since the event was recorded or requeued. */
  @Whole('failures') failures!: number;
  /** Attempts in a row that ended without a word: a crash, a kill, a lost lease. */
  @Whole('interruptions') interruptions!: number;
  /** When it is, or was, due. */
  @Instant('run_at') runAt!: Date;
  /** Its place in the hot index: `run_at` while it waits, `lease_until` while it runs, null when it is blocked or settled. */
  @OptionalInstant('queue_at') queueAt!: Date | null;
  @OptionalInstant('lease_until') leaseUntil!: Date | null;
  @OptionalText('claimed_by') claimedBy!: string | null;
  /** After this instant carrying it out no longer helps. */
  @OptionalInstant('deadline_at') deadlineAt!: Date | null;
  @OptionalInstant('snooze_since') snoozeSince!: Date | null;
  /** Questions in a row that got no usable answer. */
  @Whole('vain_questions') vainQuestions!: number;
  /** Since when; null when the last question was answered. */
  @OptionalInstant('vain_since') vainSince!: Date | null;
  /** When an attempt last ended without a trustworthy answer; null if none ever did. */
  @OptionalInstant('unknown_at') unknownAt!: Date | null;
  @OptionalText('outcome') outcome!: VendorOutcome | null;
  @OptionalText('last_error_code') lastErrorCode!: string | null;
  @OptionalText('last_error_message') lastErrorMessage!: string | null;
  /** Groups failures that have one cause. Set when errored, kept afterwards. */
  @OptionalText('cause') cause!: string | null;
  @OptionalText('request_id') requestId!: string | null;
  @OptionalText('traceparent') traceparent!: string | null;
  @Instant('created_at') createdAt!: Date;
  @OptionalInstant('settled_at') settledAt!: Date | null;
}
