import { Entity, Index } from 'typeorm';
import { Id, Instant, OptionalText, Person, Text, Whole } from './columns.js';

/** A coffee trade whose points go back, under `outRefundNo`, from the energy center's trade `outTradeNo`. */
@Entity('coffee_trade')
@Index('coffee_trade_no', ['tradeNo'], { unique: true })
@Index('coffee_refund_no', ['outRefundNo'], { unique: true })
@Index('coffee_trade_of_status', ['status'])
export class CoffeeTrade {
  @Id() id!: string;
  @Text('trade_no', 64) tradeNo!: string;
  @Text('out_trade_no', 64) outTradeNo!: string;
  /** Null where a process of an older version has written the row: then `R<tradeNo>`. */
  @OptionalText('out_refund_no', 64) outRefundNo!: string | null;
  @Person('user_id') userId!: string;
  @Whole('amount_in_cent') amountInCent!: number;
  @OptionalText('reason', 500) reason!: string | null;
  /** REFUSED: the energy center never had the trade, and a person has discarded the refund. */
  @Text('status', 8) status!: 'PENDING' | 'REFUNDED' | 'REFUSED';
  @Text('event_id', 20) eventId!: string;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
