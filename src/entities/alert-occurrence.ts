import { Entity, Index } from 'typeorm';
import { Id, Instant, OptionalText, Ref } from './columns.js';

/** One case of an alert. */
@Entity('alert_occurrence')
@Index('alert_occurrence_of_alert', ['alertId'])
@Index('alert_occurrence_of_subject', ['subjectId'])
export class AlertOccurrence {
  @Id() id!: string;
  @Ref('alert_id') alertId!: string;
  @OptionalText('event_id', 20) eventId!: string | null;
  @OptionalText('subject_id', 64) subjectId!: string | null;
  @OptionalText('subject_no', 64) subjectNo!: string | null;
  @Instant('at') at!: Date;
}
