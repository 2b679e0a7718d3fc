import type { Complaint } from '../../entities/complaint.js';
import type { ComplaintView } from '../../orders/complaint-view.js';

export interface ComplaintPageView {
  readonly complaint: Complaint;
  readonly view: ComplaintView;
  /** Its kind is inspected before a refund. */
  readonly needsInspection: boolean;
  readonly now: Date;
}
