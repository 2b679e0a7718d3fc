import { crashPoint } from '../base/crash-point.js';
import { Problem, WrongState } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { insertRow } from '../database/rows.js';
import { BoxOrder } from '../entities/box-order.js';
import { Complaint, type ComplaintState, waitingStates } from '../entities/complaint.js';
import { ComplaintReview, type ComplaintVerdict } from '../entities/complaint-review.js';
import { recordReminder } from '../handlers/complaint-reminder.js';
import { recordCloseAfter } from '../handlers/fulfilment-close.js';
import type { Signature } from '../operate/audit.js';
import { isClosed, moveComplaint } from './complaint.js';
import type { ComplaintRules } from './complaint-rules.js';
import { type ComplaintView, complaintView } from './complaint-view.js';

export interface ReviewDependencies {
  readonly database: Database;
  readonly rules: ComplaintRules;
}

/** A complaint that somebody decides about, with its order; both rows are locked. */
export interface UnderReview {
  readonly complaint: Complaint;
  readonly order: BoxOrder;
  readonly rules: ComplaintRules;
  readonly by: Signature;
}

/** What a person decided: from which states, to which, and what is kept of it. */
export interface Decision {
  readonly from: readonly ComplaintState[];
  readonly to: ComplaintState;
  readonly verdict: ComplaintVerdict;
  readonly note: string | null;
  readonly grantedInCent?: number;
}

/**
 * One step of a complaint: the order is locked, then the complaint, and `decide` says what becomes of it. All in
 * one transaction. Throws Problem `not-found`, or what `decide` throws.
 */
export async function reviewComplaint(
  { database, rules }: ReviewDependencies,
  id: string,
  by: Signature,
  decide: (tx: Tx, review: UnderReview) => Promise<Decision>,
): Promise<ComplaintView> {
  const view = await database.transaction(async (tx) => {
    const review = { ...(await lock(tx, id)), rules, by };
    await write(tx, review, await decide(tx, review));
    crashPoint('in-review');
    return readView(tx, id);
  });
  crashPoint('after-review');
  return view;
}

async function lock(tx: Tx, id: string): Promise<Pick<UnderReview, 'complaint' | 'order'>> {
  const found = await tx.manager.findOneBy(Complaint, { id });
  if (!found) throw new Problem('not-found', { detail: 'there is no such complaint' });
  const locked = { ...forUpdate(tx) };
  const order = await tx.manager.findOneOrFail(BoxOrder, { where: { id: found.orderId }, ...locked });
  const complaint = await tx.manager.findOneOrFail(Complaint, { where: { id }, ...locked });
  return { complaint, order };
}

async function write(tx: Tx, { complaint, rules, by }: UnderReview, decision: Decision): Promise<void> {
  const { to, verdict, note } = decision;
  if (!(await moveComplaint(tx, complaint.id, decision))) throw inAnotherState(complaint);
  await insertRow(tx, ComplaintReview, {
    complaintId: complaint.id,
    by: by.actor,
    at: instant(tx),
    verdict,
    note,
  });
  const about = { requestId: by.requestId, traceparent: null };
  const waits = waitingStates.find((state) => state === to);
  if (waits) await recordReminder(tx, complaint, { state: waits, inMs: rules.alertAfterMs }, about);
  if (isClosed(to)) await recordCloseAfter(tx, complaint, rules.windows, about);
}

export function inAnotherState({ state }: Complaint): Problem {
  return new WrongState('complaint-state', state);
}

async function readView(tx: Tx, id: string): Promise<ComplaintView> {
  const complaint = await tx.manager.findOneByOrFail(Complaint, { id });
  const reviews = await tx.manager.find(ComplaintReview, {
    where: { complaintId: id },
    order: { id: 'ASC' },
  });
  return complaintView(complaint, reviews);
}
