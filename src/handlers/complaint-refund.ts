import { z } from 'zod';
import type { Tx } from '../database/database.js';
import { Complaint } from '../entities/complaint.js';
import { moveComplaint } from '../orders/complaint.js';
import { writeStep } from '../orders/order.js';
import { type RecordOptions, record } from '../outbox/record.js';
import type { EventHandler, OpenEvent } from '../outbox/types.js';
import { contradiction } from './ask-refund.js';
import type { ComplaintDependencies, EnergyDependencies } from './dependencies.js';
import { refundDeadlineMs } from './energy-cancel.js';
import type { EventType } from './event-type.js';
import { findRefund } from './find-refund.js';
import { recordCloseAfter } from './fulfilment-close.js';
import { energyKey, exampleOrder, outTradeNo, paidOrder } from './payloads.js';
import { refund } from './refund.js';

const payload = paidOrder.extend({ complaintId: z.string().regex(/^\d+$/) });
type Payload = z.infer<typeof payload>;

/** Gives back the part of an order's price that an approved complaint was granted. */
export const complaintRefund: EventType<Payload> = {
  type: 'COMPLAINT_REFUND',
  // A lane of its own: it calls the energy center or a payer, and neither's breaker must learn from the other.
  target: 'complaint-refund',
  version: 1,
  schema: payload,
  example: { ...exampleOrder, userId: 'u1', amountInCent: 800, complaintId: '1' },
  dedupeKey: ({ complaintId }) => complaintId,
  orderingKey: ({ orderNo }) => energyKey(orderNo),
  words: {
    zh: {
      name: '投诉退款',
      does: '把投诉批准的金额退给用户。',
      ifNever: '批准了退款，用户却没有收到。',
      affects: '这位用户的能量点。',
    },
    en: {
      name: 'Complaint refund',
      does: 'Gives back what an approved complaint was granted.',
      ifNever: 'The diner was granted a refund and does not get it.',
      affects: 'This diner’s points.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'complaint APPROVED',
      pending: 'refused: the points are owed',
      errored: 'refused: requeue it, or state with proof that it was done',
    },
    { of: 'complaint REFUNDED', pending: 'allowed', errored: 'allowed' },
  ],
  createHandler: ({ energy, complaints }) => createComplaintRefund(energy, complaints),
};

const REASON = 'COMPLAINT';

/** Our number of a complaint's refund; order numbers begin with another letter. */
export const complaintRefundNo = (complaintId: string): string => `S${complaintId}`;

/** In the transaction that approves the complaint. */
export async function recordComplaintRefund(
  tx: Tx,
  { id: complaintId, orderId, orderNo, userId }: Complaint,
  amountInCent: number,
  about: Pick<RecordOptions, 'requestId' | 'traceparent'>,
): Promise<void> {
  const wanted = { complaintId, orderId, orderNo, userId, amountInCent };
  await record(tx, complaintRefund, wanted, { ...about, subjectId: orderId, subjectNo: orderNo });
}

export function createComplaintRefund(
  { database, energy, clock, timeoutMs }: EnergyDependencies,
  { windows }: Pick<ComplaintDependencies, 'windows'>,
): EventHandler<Payload> {
  return {
    definition: complaintRefund,
    limits: { deadlineMs: refundDeadlineMs(timeoutMs), maxSnoozeMs: 30 * 60_000 },
    async handle(event, context) {
      const { complaintId } = event.payload;
      if (!(await database.manager.existsBy(Complaint, { id: complaintId })))
        return complaintGone(complaintId);
      const result = await refund({ database, energy, clock }, wantedOf(event.payload), event, context);
      if (result.kind === 'answer') return result.answer;
      if (result.kind === 'no-payment') return contradiction(result.inDoubt);
      const effect = (tx: Tx) => refunded(tx, event.payload, event);
      return { kind: 'done', outcome: 'applied', note: result.note, effect };
    },
    ask: ({ orderNo, complaintId }, context) =>
      findRefund(energy, outTradeNo(orderNo), complaintRefundNo(complaintId), context),
    onStatedDone: (tx, given) => refunded(tx, given, {}),
    refuseDiscard: async (queryable, event) => {
      const state = await stateOf(event, (id) => queryable.manager.findOneBy(Complaint, { id }));
      return state === 'APPROVED' ? whileOwed(event) : null;
    },
  };

  /** What our books keep once the points are back. */
  async function refunded(
    tx: Tx,
    given: Payload,
    about: Pick<RecordOptions, 'requestId' | 'traceparent'>,
  ): Promise<void> {
    const { complaintId, orderId, amountInCent } = given;
    if (!(await moveComplaint(tx, complaintId, { from: ['APPROVED'], to: 'REFUNDED' }))) return;
    const outRefundNo = complaintRefundNo(complaintId);
    await writeStep(tx, orderId, 'complaint-refunded', { complaintId, amountInCent, outRefundNo });
    await recordCloseAfter(tx, { id: complaintId, orderId }, windows, about);
  }
}

function wantedOf({ complaintId, orderNo, userId, amountInCent }: Payload) {
  return {
    outRefundNo: complaintRefundNo(complaintId),
    outTradeNo: outTradeNo(orderNo),
    userId,
    amountInCent,
    reason: REASON,
  };
}

async function stateOf(
  { payload: given }: OpenEvent<Payload>,
  find: (id: string) => Promise<Complaint | null>,
): Promise<Complaint['state'] | undefined> {
  // Of an event that cannot be read, the debt is not known to be settled.
  return given ? (await find(given.complaintId))?.state : 'APPROVED';
}

function whileOwed({ status }: Pick<OpenEvent, 'status'>): string {
  return status === 'pending'
    ? 'the granted amount is still owed: let it go on'
    : 'the granted amount is still owed: requeue it, or settle it as done with proof';
}

function complaintGone(id: string) {
  return {
    kind: 'give-up',
    failure: { outcome: 'not-applied', code: 'complaint-gone', message: `there is no complaint ${id}` },
  } as const;
}
