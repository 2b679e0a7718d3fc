import { Entity, Index } from 'typeorm';
import { Count, Id, Instant, OptionalInstant, OptionalPerson, OptionalText, Text, Whole } from './columns.js';

const alertKinds = [
  'errored',
  'unknown',
  'loss',
  'placements-failing',
  'vendor-down',
  'drift',
  'poller-silent',
  'cannot-learn',
  'complaint-waiting',
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** A group of occurrences that have one cause. */
@Entity('alert')
@Index('alert_group_key', ['groupKey'], { unique: true })
@Index('alert_last_at', ['lastAt'])
export class Alert {
  @Id() id!: string;
  @Text('group_key', 191) groupKey!: string;
  @Text('kind', 32) kind!: AlertKind;
  @Text('status', 10) status!: 'new' | 'open' | 'recovered';
  @Text('title', 200) title!: string;
  @Text('cause', 500) cause!: string;
  @OptionalText('event_type', 64) eventType!: string | null;
  @Whole('occurrences') occurrences!: number;
  /** Occurrences that no message has told yet. */
  @Whole('unsent') unsent!: number;
  /** Raised each time the group gets an event that sends its messages; later writes name it. */
  @Whole('round') round!: number;
  @Instant('first_at') firstAt!: Date;
  @Instant('last_at') lastAt!: Date;
  @OptionalInstant('sent_at') sentAt!: Date | null;
  @OptionalInstant('recovered_at') recoveredAt!: Date | null;
  /** A person knows the cause: no message until it has recovered and comes back. */
  @OptionalInstant('known_at') knownAt!: Date | null;
  @OptionalPerson('known_by') knownBy!: string | null;
  @OptionalText('known_reason', 500) knownReason!: string | null;
  /** How often it came back after it had recovered. */
  @Count('came_back') cameBack!: number;
  /** The build that met it first. */
  @OptionalText('build', 32) build!: string | null;
}
