import { Entity } from 'typeorm';
import { Id, Instant, OptionalInstant, OptionalText, Ref, Text, Whole } from './columns.js';
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

/** One box for one person. Every change of `status` is one conditional UPDATE (`src/orders/transition.ts`). */
@Entity('box_order')
export class BoxOrder {
  @Id() id!: string;
  /** Ours, unique: the day and a running number. Pay is `P<orderNo>`, refund is `R<orderNo>` at the energy center. */
  @Text('order_no') orderNo!: string;
  @Text('user_id') userId!: string;
  /** Personal data: Meican knows the diner by it. Never in an answer, a log or an alert. */
  @Text('email') email!: string;
  @Text('real_name') realName!: string;
  @Text('garden') garden!: string;
  @Text('corp') corp!: string;
  @Text('status') status!: OrderStatus;
  @Ref('dish_id') dishId!: string;
  @Text('dish_name') dishName!: string;
  @Text('meican_dish_id') meicanDishId!: string;
  @Ref('sideboard_id') sideboardId!: string;
  /** Copied from the cabinet when it was reserved, so that a later menu cannot send the box elsewhere. */
  @Text('address_id') addressId!: string;
  @Text('edible_date') edibleDate!: string;
  @Text('meal_type') mealType!: MealType;
  @Instant('cutoff_at') cutoffAt!: Date;
  @Whole('price_in_cent') priceInCent!: number;
  /** user|day|meal while the order is live, else null: UNIQUE makes a second live order impossible. */
  @OptionalText('live_key') liveKey!: string | null;
  @OptionalText('meican_order_id') meicanOrderId!: string | null;
  /** When Meican confirmed that it no longer holds the order. */
  @OptionalInstant('meican_cancelled_at') meicanCancelledAt!: Date | null;
  @Text('refund') refund!: RefundState;
  /** Who cancelled it. */
  @OptionalText('operator') operator!: string | null;
  @OptionalText('cancel_reason') cancelReason!: string | null;
  @OptionalText('request_id') requestId!: string | null;
  @Instant('created_at') createdAt!: Date;
  @Instant('updated_at') updatedAt!: Date;
}
