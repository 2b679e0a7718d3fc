import { Entity, Index } from 'typeorm';
import {
  Chars,
  Instant,
  KeyChars,
  OptionalHugeText,
  OptionalText,
  OptionalWhole,
  Person,
  Text,
} from './columns.js';

/** A request with an Idempotency-Key: the same key gets the same answer for seven days. */
@Entity('idempotency_record')
@Index('idempotency_record_created', ['createdAt'])
export class IdempotencyRecord {
  /** SHA-256 of role, caller, operation and key. */
  @KeyChars('scope_hash', 64) scopeHash!: string;
  @Person('caller', 160) caller!: string;
  @Text('operation', 64) operation!: string;
  /** SHA-256 of the parsed body: the same key with another body is refused. */
  @Chars('body_hash', 64) bodyHash!: string;
  /** released: the request ended in a 5xx, and the same key starts afresh. */
  @Text('state', 12) state!: 'running' | 'completed' | 'released';
  /** The fence: which run of the request holds the record. */
  @Text('owner', 64) owner!: string;
  /** No other run takes a running request over before this instant. */
  @Instant('locked_until') lockedUntil!: Date;
  /** The order numbers that the request began to work on, with commas. */
  @OptionalText('subject_ids', 2000) subjectIds!: string | null;
  @OptionalWhole('response_status') responseStatus!: number | null;
  /** JSON. */
  @OptionalHugeText('response_body') responseBody!: string | null;
  @Instant('created_at') createdAt!: Date;
}
