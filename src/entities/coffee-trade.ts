import { Entity } from 'typeorm';
import { Id, Instant, OptionalText, Text, Whole } from './columns.js';

/** A coffee trade whose points go back, under `outRefundNo`, from the energy center's trade `outTradeNo`. */
@Entity('coffee_trade')
export class CoffeeTrade {
  @Id() id!: string;
  @Text('trade_no') tradeNo!: string;
  @Text('out_trade_no') outTradeNo!: string;
  /** Null where a process of an older version has written the row: then `R<tradeNo>`. */
  @OptionalText('out_refund_no') outRefundNo!: string | null;
  @Text('user_id') userId!: string;
  @Whole('amount_in_cent') amountInCent!: number;
  @OptionalText('reason') reason!: string | null;
  /** REFUSED: the energy center never had the trade, and a person has discarded the refund. */
  @Text('status') status!: 'PENDING' | 'REFUNDED' | 'REFUSED';
  @Text('event_id') eventId!: string;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
