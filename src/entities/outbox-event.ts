import { Entity, Index } from 'typeorm';
import {
  Count,
  GeneratedInstant,
  GeneratedText,
  Id,
  Instant,
  LongText,
  OptionalInstant,
  OptionalText,
  Text,
  Whole,
} from './columns.js';

export const eventStatuses = ['pending', 'handled', 'errored', 'discarded'] as const;
export type EventStatus = (typeof eventStatuses)[number];

/** What is known of a vendor's books after a call. */
export const vendorOutcomes = ['applied', 'rejected', 'not-applied', 'unknown'] as const;
export type VendorOutcome = (typeof vendorOutcomes)[number];

/** A row of the local message table: something that must still happen outside, or did. */
@Entity('outbox_event')
@Index('outbox_event_dedupe_key', ['dedupeKey'], { unique: true })
@Index('outbox_event_queue', ['queueAt', 'id'])
@Index('outbox_event_urgent', ['urgentAt'])
@Index('outbox_event_queued_key', ['queuedKey'])
@Index('outbox_event_pending_key', ['pendingKey'])
@Index('outbox_event_subject', ['subjectId'])
@Index('outbox_event_subject_no', ['subjectNo'])
@Index('outbox_event_status_type', ['status', 'type', 'settledAt'])
@Index('outbox_event_settled', ['status', 'settledAt'])
@Index('outbox_event_type', ['type'])
@Index('outbox_event_cause_status', ['cause', 'causeStatus'])
@Index('outbox_event_request', ['requestId'])
@Index('outbox_event_trace', ['traceparent'])
export class OutboxEvent {
  @Id() id!: string;
  @Text('type', 64) type!: string;
  /** pending → handled | errored | discarded; errored → pending | discarded by a person. */
  @Text('status', 10) status!: EventStatus;
  /** What the event is about, for search: the id and the number of an order, a record, a trade. */
  @OptionalText('subject_id', 64) subjectId!: string | null;
  @OptionalText('subject_no', 64) subjectNo!: string | null;
  /** JSON in the shape of the handler's schema, at most 16 KiB. */
  @LongText('payload') payload!: string;
  @Whole('payload_version') payloadVersion!: number;
  /** UNIQUE: the same thing is recorded once, however often it is asked for. */
  @Text('dedupe_key', 191) dedupeKey!: string;
  /** Events with the same key run one at a time, in the order recorded. */
  @OptionalText('ordering_key', 128) orderingKey!: string | null;
  /** The fence: raised by each claim; every later write names it. */
  @Count('attempt') attempt!: number;
  /** Attempts that failed for a reason of their own since the event was recorded or requeued. */
  @Count('failures') failures!: number;
  /** Attempts in a row that ended without a word: a crash, a kill, a lost lease. */
  @Count('interruptions') interruptions!: number;
  /** When it is, or was, due. */
  @Instant('run_at') runAt!: Date;
  /**
   * Its place in the hot index: `run_at` while it waits, `lease_until` while it runs, null when it is blocked
   * or settled.
   */
  @OptionalInstant('queue_at') queueAt!: Date | null;
  @OptionalInstant('lease_until') leaseUntil!: Date | null;
  @OptionalText('claimed_by', 100) claimedBy!: string | null;
  /** After this instant carrying it out no longer helps. */
  @OptionalInstant('deadline_at') deadlineAt!: Date | null;
  @OptionalInstant('snooze_since') snoozeSince!: Date | null;
  /** Questions in a row that got no usable answer. */
  @Count('vain_questions') vainQuestions!: number;
  /** Since when; null when the last question was answered. */
  @OptionalInstant('vain_since') vainSince!: Date | null;
  /** When an attempt last ended without a trustworthy answer; null if none ever did. */
  @OptionalInstant('unknown_at') unknownAt!: Date | null;
  @OptionalText('outcome', 12) outcome!: VendorOutcome | null;
  @OptionalText('last_error_code', 64) lastErrorCode!: string | null;
  @OptionalText('last_error_message', 500) lastErrorMessage!: string | null;
  /** Groups failures that have one cause. Set when errored, kept afterwards. */
  @OptionalText('cause', 191) cause!: string | null;
  @OptionalText('request_id', 64) requestId!: string | null;
  @OptionalText('traceparent', 64) traceparent!: string | null;
  @Instant('created_at') createdAt!: Date;
  @OptionalInstant('settled_at') settledAt!: Date | null;
  /** The deadline while it is in the queue: a backlog is worked off earliest deadline first. */
  @GeneratedInstant('urgent_at', 'CASE WHEN queue_at IS NULL THEN NULL ELSE deadline_at END')
  urgentAt?: Date | null;
  /**
   * The ordering key while it is in the queue: leads to an event's rivals, not to the thousands that wait
   * behind them.
   */
  @GeneratedText('queued_key', 128, 'CASE WHEN queue_at IS NULL THEN NULL ELSE ordering_key END')
  queuedKey?: string | null;
  /** The ordering key while it is pending: settled events leave the index. */
  @GeneratedText('pending_key', 128, "CASE WHEN status = 'pending' THEN ordering_key ELSE NULL END")
  pendingKey?: string | null;
  /** The status where there is a cause: events without trouble have no entry that moves. */
  @GeneratedText('cause_status', 10, 'CASE WHEN cause IS NULL THEN NULL ELSE status END')
  causeStatus?: string | null;
}
