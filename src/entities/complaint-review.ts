import { Entity, Index } from 'typeorm';
import { Id, Instant, OptionalText, Person, Ref, Text } from './columns.js';

export const complaintVerdicts = [
  'accept',
  'reject',
  'returned',
  'inspected',
  'not-confirmed',
  'approve',
] as const;
export type ComplaintVerdict = (typeof complaintVerdicts)[number];

/** What a manager did with a complaint, in the order in which it happened. Append-only. */
@Entity('complaint_review')
@Index('complaint_review_of', ['complaintId'])
export class ComplaintReview {
  @Id() id!: string;
  @Ref('complaint_id') complaintId!: string;
  @Person('reviewer') by!: string;
  @Instant('at') at!: Date;
  @Text('verdict', 16) verdict!: ComplaintVerdict;
  @OptionalText('note', 500) note!: string | null;
}
