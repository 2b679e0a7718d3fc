import { Entity, Index } from 'typeorm';
import { Id, Instant, LongText, Ref, Text } from './columns.js';

/**
 * What happened to an order in our own books: one row for each step, written in the transaction that did it.
 */
@Entity('order_step')
@Index('order_step_of_order', ['orderId'])
export class OrderStep {
  @Id() id!: string;
  @Ref('order_id') orderId!: string;
  @Instant('at') at!: Date;
  /** One of `stepKinds` in `src/orders/order.ts`. */
  @Text('kind', 48) kind!: string;
  /** A JSON object. */
  @LongText('detail') detail!: string;
}
