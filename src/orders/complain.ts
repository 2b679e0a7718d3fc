import type { Caller } from '../base/caller.js';
import { mayReach } from '../base/caller.js';
import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { insertRow } from '../database/rows.js';
import { BoxOrder } from '../entities/box-order.js';
import { Complaint, type ComplaintKind } from '../entities/complaint.js';
import { recordReminder } from '../handlers/complaint-reminder.js';
import {
  type Answer,
  type Attempted,
  begin,
  complete,
  endFailed,
  hold,
  type Ticket,
} from '../http/idempotency.js';
import { openComplaintOf } from './complaint.js';
import { type ComplaintRules, whyNotComplain } from './complaint-rules.js';
import { type ComplaintView, complaintView } from './complaint-view.js';
import { owedOf, writeStep } from './order.js';

export interface ComplainDependencies {
  readonly database: Database;
  readonly rules: ComplaintRules;
}

export interface ComplainRequest {
  readonly attempted: Attempted;
  readonly caller: Caller;
  readonly orderId: string;
  readonly kind: ComplaintKind;
  readonly text: string;
  readonly wantedInCent: number;
  readonly traceparent: string | null;
}

/** A diner says what was wrong with an order: it waits for a manager's review. Throws Problem. */
export async function complain(
  { database, rules }: ComplainDependencies,
  request: ComplainRequest,
): Promise<Answer> {
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  try {
    const body = await database.transaction((tx) => write(tx, { request, ticket, rules }));
    crashPoint('after-complaint');
    return { status: 201, body, replayed: false };
  } catch (error) {
    return endFailed(database, ticket, error);
  }
}

interface Complaining {
  readonly request: ComplainRequest;
  readonly ticket: Ticket;
  readonly rules: ComplaintRules;
}

/** The order is locked first, as by everything that decides about its complaints. */
async function write(tx: Tx, { request, ticket, rules }: Complaining): Promise<ComplaintView> {
  const order = await tx.manager.findOne(BoxOrder, { where: { id: request.orderId }, ...forUpdate(tx) });
  if (!order || !mayReach(request.caller, order.userId))
    throw new Problem('not-found', { detail: 'there is no such order' });
  await refuse(tx, order, request, rules);
  await hold(tx, ticket, [order.orderNo]);
  const complaint = await insert(tx, order, request);
  const { attempted, caller, traceparent } = request;
  const about = { requestId: attempted.requestId, traceparent };
  await writeStep(tx, order.id, 'complaint-applied', {
    complaintId: complaint.id,
    caller: caller.sub,
    complaint: complaint.kind,
    amountInCent: complaint.wantedInCent,
    requestId: attempted.requestId,
  });
  await recordReminder(tx, complaint, { state: 'APPLIED', inMs: rules.alertAfterMs }, about);
  const view = complaintView(complaint, []);
  await complete(tx, ticket, 201, view);
  crashPoint('in-complaint');
  return view;
}

async function refuse(
  tx: Tx,
  order: BoxOrder,
  { wantedInCent }: ComplainRequest,
  rules: ComplaintRules,
): Promise<void> {
  const why = whyNotComplain(order, await tx.now(), rules);
  if (why !== null) throw new Problem('complaint-not-possible', { detail: why });
  if (await openComplaintOf(tx, order.id))
    throw new Problem('complaint-not-possible', { detail: 'a complaint about this order is open' });
  const left = owedOf(order);
  if (wantedInCent > left) throw tooMuch('body.wantedInCent', left);
}

export function tooMuch(path: string, leftInCent: number): Problem {
  const message = `more than what is left of the price: ${leftInCent}`;
  return new Problem('validation', { errors: [{ path, message }] });
}

async function insert(
  tx: Tx,
  { id: orderId, orderNo, userId }: BoxOrder,
  { kind, text, wantedInCent }: ComplainRequest,
): Promise<Complaint> {
  const id = await insertRow(tx, Complaint, {
    orderId,
    openOrderId: orderId,
    orderNo,
    userId,
    kind,
    text,
    wantedInCent,
    state: 'APPLIED',
    stateAt: instant(tx),
    createdAt: instant(tx),
  });
  return tx.manager.findOneByOrFail(Complaint, { id });
}
