import { Entity, Index } from 'typeorm';
import { Id, Instant, Person, Text, Whole } from './columns.js';

/** A meal eaten at a canteen till (智盘), to be synced to the energy center by its record number. */
@Entity('canteen_consumption')
@Index('canteen_consumption_record_no', ['recordNo'], { unique: true })
@Index('canteen_consumption_of_status', ['status'])
export class CanteenConsumption {
  @Id() id!: string;
  @Text('record_no', 64) recordNo!: string;
  @Person('user_id') userId!: string;
  @Whole('amount_in_cent') amountInCent!: number;
  @Text('canteen', 128) canteen!: string;
  @Instant('consumed_at') consumedAt!: Date;
  /** REFUSED: the energy center refused the record for good, and a person has discarded the event. */
  @Text('status', 8) status!: 'PENDING' | 'SYNCED' | 'REFUSED';
  @Text('event_id', 20) eventId!: string;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
