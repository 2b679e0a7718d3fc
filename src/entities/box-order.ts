import { Column, Entity, Index } from 'typeorm';
import {
  Chars,
  Count,
  Id,
  Instant,
  OptionalInstant,
  OptionalPerson,
  OptionalText,
  Person,
  Ref,
  Text,
  Whole,
} from './columns.js';
import type { MealType } from './menu.js';

export const orderStatuses = [
  'PAYING',
  'ORDERING',
  'ORDERED',
  'USER_CANCEL',
  'SYSTEM_CANCEL',
  'ORDER_ERROR',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];
/** Orders that hold a dish and a cabinet slot. */
export const liveStatuses = ['PAYING', 'ORDERING', 'ORDERED'] as const satisfies readonly OrderStatus[];

export const refundStates = ['NONE', 'PENDING', 'DONE'] as const;
export type RefundState = (typeof refundStates)[number];

/** What becomes of the box after the kitchen, in this order; of the two about picking up, one. None goes back. */
export const fulfilmentStates = [
  'NONE',
  'COOKING',
  'ON_THE_WAY',
  'IN_CABINET',
  'PICKED_UP',
  'NOT_PICKED_UP',
  'COMPLETED',
] as const;
export type FulfilmentState = (typeof fulfilmentStates)[number];

/** One box for one person. Every change of `status` is one conditional UPDATE (`src/orders/order.ts`). */
@Entity('box_order')
@Index('box_order_no', ['orderNo'], { unique: true })
@Index('box_order_live_key', ['liveKey'], { unique: true })
@Index('box_order_meican_order_id', ['meicanOrderId'], { unique: true })
@Index('box_order_of_user', ['userId'])
@Index('box_order_of_day', ['edibleDate', 'status'])
@Index('box_order_of_status_refund', ['status', 'refund'])
export class BoxOrder {
  @Id() id!: string;
  /**
   * Ours, unique: the day and a running number. Pay is `P<orderNo>`, refund is `R<orderNo>` at the energy
   * center.
   */
  @Text('order_no', 32) orderNo!: string;
  @Person('user_id') userId!: string;
  /** Personal data: Meican knows the diner by it. Never in an answer, a log or an alert. */
  @Text('email', 254) email!: string;
  @Text('real_name', 128) realName!: string;
  @Text('garden', 64) garden!: string;
  @Text('corp', 64) corp!: string;
  @Text('status', 16) status!: OrderStatus;
  @Ref('dish_id') dishId!: string;
  @Text('dish_name', 200) dishName!: string;
  @Text('meican_dish_id', 64) meicanDishId!: string;
  @Ref('sideboard_id') sideboardId!: string;
  /** Copied from the cabinet when it was reserved, so that a later menu cannot send the box elsewhere. */
  @Text('address_id', 64) addressId!: string;
  @Chars('edible_date', 10) edibleDate!: string;
  @Text('meal_type', 16) mealType!: MealType;
  @Instant('cutoff_at') cutoffAt!: Date;
  @Whole('price_in_cent') priceInCent!: number;
  /** user|day|meal while the order is live, else null: UNIQUE makes a second live order impossible. */
  @OptionalText('live_key', 200) liveKey!: string | null;
  @OptionalText('meican_order_id', 64) meicanOrderId!: string | null;
  /** When Meican confirmed that it no longer holds the order. */
  @OptionalInstant('meican_cancelled_at') meicanCancelledAt!: Date | null;
  @Text('refund', 8) refund!: RefundState;
  /** Of the price, by complaints that were approved: never more than it. A refund of the order gives back the rest. */
  @Count('granted_in_cent') grantedInCent!: number;
  /** Moved by `src/orders/fulfilment.ts`; neither money nor stock reads it. */
  @Column({ name: 'fulfilment', type: 'varchar', length: 16, default: 'NONE' }) fulfilment!: FulfilmentState;
  /** Since when, as the service that told it says; null while NONE. */
  @OptionalInstant('fulfilment_at') fulfilmentAt!: Date | null;
  /** Who cancelled it. */
  @OptionalPerson('operator') operator!: string | null;
  @OptionalText('cancel_reason', 500) cancelReason!: string | null;
  /** Of the first release; nothing reads or writes it. */
  @Column({
    name: 'guard_event_id',
    type: 'varchar',
    length: 20,
    nullable: true,
    select: false,
    insert: false,
    update: false,
  })
  guardEventId?: string | null;
  @OptionalText('request_id', 64) requestId!: string | null;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
