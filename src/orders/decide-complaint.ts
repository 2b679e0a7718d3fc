import { Problem } from '../base/problems.js';
import type { Tx } from '../database/database.js';
import type { ComplaintState } from '../entities/complaint.js';
import { ComplaintReview } from '../entities/complaint-review.js';
import { recordComplaintRefund } from '../handlers/complaint-refund.js';
import { audit, type Signature } from '../operate/audit.js';
import { tooMuch } from './complain.js';
import { needsInspection } from './complaint-rules.js';
import type { ComplaintView } from './complaint-view.js';
import { grant, owedOf, writeStep } from './order.js';
import {
  type Decision,
  inAnotherState,
  type ReviewDependencies,
  reviewComplaint,
  type UnderReview,
} from './review-complaint.js';

/** What managers decide about a complaint, each by an audited act of their own. All throw Problem. */

export interface Verdict {
  readonly id: string;
  readonly verdict: 'accept' | 'reject';
  /** Absent: what the diner wants. */
  readonly grantedInCent?: number | undefined;
  readonly note: string;
}

export async function judgeComplaint(
  needs: ReviewDependencies,
  { id, verdict, grantedInCent, note }: Verdict,
  by: Signature,
): Promise<ComplaintView> {
  return reviewComplaint(needs, id, by, async (tx, review) => {
    const decision =
      verdict === 'accept'
        ? acceptance(review, grantedInCent ?? review.complaint.wantedInCent, note)
        : rejection(review, note);
    await auditStep(tx, review, decision, by, 'complaint-review');
    return decision;
  });
}

function acceptance({ complaint, order }: UnderReview, grantedInCent: number, note: string): Decision {
  if (complaint.state !== 'APPLIED') throw inAnotherState(complaint);
  if (grantedInCent > owedOf(order)) throw tooMuch('body.grantedInCent', owedOf(order));
  return { from: ['APPLIED'], to: 'ACCEPTED', verdict: 'accept', note, grantedInCent };
}

/** Once its order has ended, nothing can be granted any more: the complaint may be closed wherever it stands. */
function rejection({ complaint, order }: UnderReview, note: string): Decision {
  const from: ComplaintState[] =
    order.status === 'ORDERED' ? ['APPLIED'] : ['APPLIED', 'ACCEPTED', 'RETURNED', 'INSPECTED'];
  if (!from.includes(complaint.state)) throw inAnotherState(complaint);
  return { from, to: 'REJECTED', verdict: 'reject', note };
}

/** The box is back. */
export async function receiveReturn(
  needs: ReviewDependencies,
  { id }: { readonly id: string },
  by: Signature,
): Promise<ComplaintView> {
  return reviewComplaint(needs, id, by, async (tx, review) => {
    const { complaint, rules } = review;
    if (complaint.state !== 'ACCEPTED' || !needsInspection(complaint, rules)) throw inAnotherState(complaint);
    const decision = { from: ['ACCEPTED'], to: 'RETURNED', verdict: 'returned', note: null } as const;
    await auditStep(tx, review, decision, by, 'complaint-returned');
    return decision;
  });
}

export interface Inspection {
  readonly id: string;
  readonly ok: boolean;
  readonly note: string;
}

export async function inspectReturn(
  needs: ReviewDependencies,
  { id, ok, note }: Inspection,
  by: Signature,
): Promise<ComplaintView> {
  return reviewComplaint(needs, id, by, async (tx, review) => {
    if (review.complaint.state !== 'RETURNED') throw inAnotherState(review.complaint);
    const found = ok
      ? ({ to: 'INSPECTED', verdict: 'inspected' } as const)
      : ({ to: 'REJECTED', verdict: 'not-confirmed' } as const);
    const decision = { from: ['RETURNED'], ...found, note } as const;
    await auditStep(tx, review, decision, by, 'complaint-inspect');
    return decision;
  });
}

/** Grants the money: the guard on the order's row decides, whatever else is approved or cancelled at the same time. */
export async function approveComplaint(
  needs: ReviewDependencies,
  { id, note }: { readonly id: string; readonly note: string },
  by: Signature,
): Promise<ComplaintView> {
  return reviewComplaint(needs, id, by, async (tx, review) => {
    const { complaint, order, rules } = review;
    const isReady = needsInspection(complaint, rules)
      ? complaint.state === 'INSPECTED'
      : complaint.state === 'ACCEPTED' || complaint.state === 'INSPECTED';
    if (!isReady) throw inAnotherState(complaint);
    await needSecondPerson(tx, review);
    const amountInCent = complaint.grantedInCent ?? 0;
    if (!(await grant(tx, order.id, amountInCent))) throw cannotGrant(review);
    await writeStep(tx, order.id, 'complaint-granted', { complaintId: id, amountInCent });
    await recordComplaintRefund(tx, complaint, amountInCent, { requestId: by.requestId, traceparent: null });
    const decision: Decision = { from: [complaint.state], to: 'APPROVED', verdict: 'approve', note };
    await auditStep(tx, review, decision, by, 'complaint-approve');
    return decision;
  });
}

/** Neither who accepted it nor the diner may approve it. */
async function needSecondPerson(tx: Tx, { complaint, order, by }: UnderReview): Promise<void> {
  const accepted = { complaintId: complaint.id, verdict: 'accept', by: by.actor } as const;
  const isSame = order.userId === by.actor || (await tx.manager.existsBy(ComplaintReview, accepted));
  if (isSame) throw new Problem('second-person-needed');
}

function cannotGrant({ complaint, order }: UnderReview): Problem {
  const detail =
    order.status === 'ORDERED'
      ? `${owedOf(order)} of the price is left, less than what was granted`
      : `the order is ${order.status}`;
  return new Problem('complaint-state', { detail, more: { currentStatus: complaint.state } });
}

async function auditStep(
  tx: Tx,
  { complaint, order }: UnderReview,
  { to, note, grantedInCent }: Decision,
  by: Signature,
  verb: string,
): Promise<void> {
  await audit(
    tx,
    { ...by, reason: note },
    {
      verb,
      targetType: 'complaint',
      targetId: complaint.id,
      subjectId: order.id,
      before: { state: complaint.state },
      after: { state: to, ...(grantedInCent === undefined ? {} : { grantedInCent }) },
    },
  );
}
