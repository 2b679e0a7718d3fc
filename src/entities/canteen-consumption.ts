import { Entity } from 'typeorm';
import { Id, Instant, Text, Whole } from './columns.js';

/** A meal eaten at a canteen till (智盘), to be synced to the energy center by its record number. */
@Entity('canteen_consumption')
export class CanteenConsumption {
  @Id() id!: string;
  @Text('record_no') recordNo!: string;
  @Text('user_id') userId!: string;
  @Whole('amount_in_cent') amountInCent!: number;
  @Text('canteen') canteen!: string;
  @Instant('consumed_at') consumedAt!: Date;
  /** REFUSED: the energy center refused the record for good, and a person has discarded the event. */
  @Text('status') status!: 'PENDING' | 'SYNCED' | 'REFUSED';
  @Text('event_id') eventId!: string;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
