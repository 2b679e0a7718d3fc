import { toRfc3339 } from '../base/clock.js';
import type { Complaint } from '../entities/complaint.js';
import type { ComplaintReview } from '../entities/complaint-review.js';

/** A complaint as the API shows it. */
export function complaintView(complaint: Complaint, reviews: readonly ComplaintReview[]) {
  const { id, orderId, orderNo, kind, text, wantedInCent, grantedInCent, state, createdAt } = complaint;
  return {
    id,
    orderId,
    orderNo,
    kind,
    text,
    wantedInCent,
    grantedInCent,
    state,
    reviews: reviews.map(({ by, at, verdict, note }) => ({ by, at: toRfc3339(at), verdict, note })),
    createdAt: toRfc3339(createdAt),
  };
}

export type ComplaintView = ReturnType<typeof complaintView>;
