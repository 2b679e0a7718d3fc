import { Entity, Index } from 'typeorm';
import { Id, Instant, LongText, OptionalRef, OptionalWhole, Person, Ref, Text, Whole } from './columns.js';

export const complaintKinds = ['wrong-dish', 'quality', 'missing', 'late', 'other'] as const;
export type ComplaintKind = (typeof complaintKinds)[number];

export const complaintStates = [
  'APPLIED',
  'ACCEPTED',
  'RETURNED',
  'INSPECTED',
  'APPROVED',
  'REFUNDED',
  'REJECTED',
] as const;
export type ComplaintState = (typeof complaintStates)[number];
/** States in which a person is waited for. */
export const waitingStates = [
  'APPLIED',
  'ACCEPTED',
  'RETURNED',
  'INSPECTED',
] as const satisfies readonly ComplaintState[];

/** What a diner says is wrong with an order, and what becomes of it. Each change of `state` is one conditional UPDATE. */
@Entity('complaint')
@Index('complaint_open', ['openOrderId'], { unique: true })
@Index('complaint_of_order', ['orderId'])
@Index('complaint_of_user', ['userId'])
@Index('complaint_of_state', ['state', 'stateAt'])
export class Complaint {
  /** The refund is `S<id>` at the energy center, or at the payer. */
  @Id() id!: string;
  @Ref('order_id') orderId!: string;
  /** The order while the complaint is open, else null: UNIQUE makes a second open complaint impossible. */
  @OptionalRef('open_order_id') openOrderId!: string | null;
  @Text('order_no', 32) orderNo!: string;
  /** Whose order it is. */
  @Person('user_id') userId!: string;
  @Text('kind', 16) kind!: ComplaintKind;
  /** The diner's own words, with addresses and numbers taken out. */
  @LongText('content') text!: string;
  @Whole('wanted_in_cent') wantedInCent!: number;
  /** What the review grants. It counts in the order's `granted_in_cent` from the approval on. */
  @OptionalWhole('granted_in_cent') grantedInCent!: number | null;
  @Text('state', 12) state!: ComplaintState;
  @Instant('state_at') stateAt!: Date;
  @Instant('created_at') createdAt!: Date;
}
