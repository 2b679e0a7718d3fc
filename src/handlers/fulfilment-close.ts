import { z } from 'zod';
import type { Tx } from '../database/database.js';
import { forUpdate } from '../database/locks.js';
import { BoxOrder, type FulfilmentState } from '../entities/box-order.js';
import type { Complaint } from '../entities/complaint.js';
import { openComplaintOf } from '../orders/complaint.js';
import { moveFulfilment } from '../orders/fulfilment.js';
import { type RecordOptions, record } from '../outbox/record.js';
import type { ClaimedEvent, EventHandler, HandlerOutcome } from '../outbox/types.js';
import { orderGone } from './answer.js';
import type { FulfilmentDependencies, FulfilmentWindows } from './dependencies.js';
import type { EventType } from './event-type.js';
import { exampleOrder, orderRef } from './payloads.js';

const payload = orderRef.extend({
  to: z.enum(['NOT_PICKED_UP', 'COMPLETED']),
  /** A complaint that was open when the window ended, and has ended since. */
  complaintId: z.string().optional(),
});
type Payload = z.infer<typeof payload>;

/** Ends what nobody ends: a box that stays in its cabinet was not picked up, and an order's time for complaints runs out. */
export const fulfilmentClose: EventType<Payload> = {
  type: 'FULFILMENT_CLOSE',
  target: 'fulfilment',
  version: 1,
  schema: payload,
  example: { ...exampleOrder, to: 'COMPLETED' },
  dedupeKey: ({ orderNo, to, complaintId }) =>
    complaintId === undefined ? `${orderNo}:${to}` : `${orderNo}:${to}:${complaintId}`,
  orderingKey: () => null,
  words: {
    zh: {
      name: '履约收尾',
      does: '餐品超时无人领取时记为未领取；过了投诉期后记为已完成。',
      ifNever: '订单一直停在“已入柜”或“已领取”，投诉期不会结束。',
      affects: '没有人；与钱和库存无关。',
    },
    en: {
      name: 'Close the fulfilment',
      does: 'A box that stays in its cabinet too long becomes NOT_PICKED_UP; when the time for complaints is over, the order is COMPLETED.',
      ifNever: 'The order stays IN_CABINET or PICKED_UP, and its time for complaints does not end.',
      affects: 'Nobody; neither money nor stock depends on it.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'any',
      pending: 'allowed: the order stays as it is',
      errored: 'allowed: the order stays as it is',
    },
  ],
  createHandler: ({ fulfilment }) => createFulfilmentClose(fulfilment),
};

const DAY_MS = 86_400_000;
const COMPLAINT_OPEN = 'a complaint is open: when it ends, the order is closed';
const DEADLINE_MS = 10_000;
const fromOf: Record<Payload['to'], readonly FulfilmentState[]> = {
  NOT_PICKED_UP: ['IN_CABINET'],
  COMPLETED: ['PICKED_UP', 'NOT_PICKED_UP'],
};

interface Come {
  readonly state: FulfilmentState;
  readonly at: Date;
  readonly windows: FulfilmentWindows;
  readonly complaintId?: string;
}

/** Records the next end of an order whose box has just come into `state`, if that state has one. */
export async function recordClose(
  tx: Tx,
  { id: orderId, orderNo }: Pick<BoxOrder, 'id' | 'orderNo'>,
  { state, at, windows, complaintId }: Come,
  about: Pick<RecordOptions, 'requestId' | 'traceparent'>,
): Promise<void> {
  const to = state === 'IN_CABINET' ? 'NOT_PICKED_UP' : 'COMPLETED';
  if (!fromOf[to].includes(state)) return;
  const dueMs = at.getTime() + windowOf(windows, to) - (await tx.now()).getTime();
  const options = { ...about, subjectId: orderId, subjectNo: orderNo, runInMs: Math.max(0, dueMs) };
  const after = complaintId === undefined ? {} : { complaintId };
  await record(tx, fulfilmentClose, { orderId, orderNo, to, ...after }, options);
}

/** A complaint has ended: an order whose window ended meanwhile is completed now. */
export async function recordCloseAfter(
  tx: Tx,
  { id: complaintId, orderId }: Pick<Complaint, 'id' | 'orderId'>,
  windows: FulfilmentWindows,
  about: Pick<RecordOptions, 'requestId' | 'traceparent'>,
): Promise<void> {
  const order = await tx.manager.findOneBy(BoxOrder, { id: orderId });
  if (!order?.fulfilmentAt || !fromOf.COMPLETED.includes(order.fulfilment)) return;
  const { fulfilment: state, fulfilmentAt: at } = order;
  await recordClose(tx, order, { state, at, windows, complaintId }, about);
}

export function createFulfilmentClose({ database, windows }: FulfilmentDependencies): EventHandler<Payload> {
  return {
    definition: fulfilmentClose,
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: windows.pickupMs + windows.complaintMs + DAY_MS },
    async handle(event, context) {
      const { orderId, to } = event.payload;
      const order = await database.manager.findOneBy(BoxOrder, { id: orderId });
      if (!order) return orderGone(orderId);
      if (!fromOf[to].includes(order.fulfilment)) return done(`the order is ${order.fulfilment}`);
      const now = context.now();
      const waitMs = (order.fulfilmentAt?.getTime() ?? 0) + windowOf(windows, to) - now.getTime();
      if (waitMs > 0) return notYet(waitMs);
      if (to === 'COMPLETED' && (await openComplaintOf(database, orderId))) return done(COMPLAINT_OPEN);
      return { ...done(`${order.fulfilment} → ${to}`), effect: (tx) => close(tx, order, event, now) };
    },
    refuseDiscard: async () => null, // the order stays as it is
  };

  async function close(tx: Tx, order: BoxOrder, event: ClaimedEvent<Payload>, at: Date): Promise<void> {
    const { to } = event.payload;
    // Whoever complains locks the order, too: no complaint can be added behind this look.
    await tx.manager.findOne(BoxOrder, { where: { id: order.id }, ...forUpdate(tx) });
    if (to === 'COMPLETED' && (await openComplaintOf(tx, order.id))) return;
    if (await moveFulfilment(tx, order.id, { to, at, from: fromOf[to] }))
      await recordClose(tx, order, { state: to, at, windows }, event);
  }
}

function windowOf({ pickupMs, complaintMs }: FulfilmentWindows, to: Payload['to']): number {
  return to === 'NOT_PICKED_UP' ? pickupMs : complaintMs;
}

const done = (note: string) => ({ kind: 'done', outcome: null, note }) as const;

/** It was made due by hand, or the window has been lengthened since. */
function notYet(afterMs: number): HandlerOutcome {
  return {
    kind: 'snooze',
    afterMs,
    outcome: null,
    reason: 'the window is not over',
    sentNothing: true,
  };
}
