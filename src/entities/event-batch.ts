import { Entity } from 'typeorm';
import {
  Chars,
  Id,
  Instant,
  LongText,
  OptionalInstant,
  OptionalText,
  Person,
  Text,
  Whole,
} from './columns.js';

export const batchVerbs = ['requeue', 'discard'] as const;
export type BatchVerb = (typeof batchVerbs)[number];
export const batchStatuses = ['previewed', 'running', 'stopped', 'done'] as const;

/** A bulk act on a frozen set of events. */
@Entity('event_batch')
export class EventBatch {
  @Id() id!: string;
  /** Proves that whoever executes the act has seen its preview. */
  @Chars('token', 32) token!: string;
  @Text('verb', 16) verb!: BatchVerb;
  /** JSON: which events were asked for. */
  @LongText('filter') filter!: string;
  @Text('status', 10) status!: (typeof batchStatuses)[number];
  @Whole('total') total!: number;
  @Whole('per_second') perSecond!: number;
  @Text('reason', 500) reason!: string;
  /** Who previewed it. */
  @Person('actor') actor!: string;
  @Text('role', 16) role!: string;
  @OptionalText('request_id', 64) requestId!: string | null;
  /** Why it was stopped. */
  @OptionalText('why', 200) why!: string | null;
  @Instant('created_at') createdAt!: Date;
  @OptionalInstant('started_at') startedAt!: Date | null;
  @OptionalInstant('ended_at') endedAt!: Date | null;
  /** Who executed it: this may be another person than the one who previewed it. */
  @OptionalText('executor', 128) executor!: string | null;
  @OptionalText('executor_role', 16) executorRole!: string | null;
}
