import { Entity, Index } from 'typeorm';
import { Id, Instant, OptionalInstant, Person, Text } from './columns.js';

/**
 * An event type that is not carried out for a while. A pause of a vendor is one row for each of its types.
 */
@Entity('event_pause')
@Index('event_pause_until', ['untilAt'])
export class EventPause {
  @Id() id!: string;
  /** `type`: one event type; `target`: every type that calls this vendor. */
  @Text('scope', 8) scope!: 'type' | 'target';
  /** What the person named: a type or a vendor. */
  @Text('name', 64) name!: string;
  @Text('type', 64) type!: string;
  @Instant('from_at') fromAt!: Date;
  /** It ends by itself then. */
  @Instant('until_at') untilAt!: Date;
  /** When a person ended it before its time. */
  @OptionalInstant('ended_at') endedAt!: Date | null;
  @Person('actor') actor!: string;
  @Text('reason', 500) reason!: string;
}
