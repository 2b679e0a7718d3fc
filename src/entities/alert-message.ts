import { Entity, Index } from 'typeorm';
import { Id, Instant, LongText, OptionalInstant, OptionalRef, Text } from './columns.js';

/** A message to WeCom. It uses a slot of the robot whether or not it arrives. */
@Entity('alert_message')
@Index('alert_message_slot', ['robot', 'slotAt'])
@Index('alert_message_of_alert', ['alertId'])
export class AlertMessage {
  @Id() id!: string;
  @Text('robot', 64) robot!: string;
  @OptionalRef('alert_id') alertId!: string | null;
  @Text('kind', 12) kind!: string;
  @LongText('content') content!: string;
  @Instant('slot_at') slotAt!: Date;
  @OptionalInstant('sent_at') sentAt!: Date | null;
}
