import { z } from 'zod';
import { raise } from '../alerts/raise.js';
import type { Tx } from '../database/database.js';
import { Complaint, waitingStates } from '../entities/complaint.js';
import { type RecordOptions, record } from '../outbox/record.js';
import type { ClaimedEvent, EventHandler } from '../outbox/types.js';
import type { ComplaintDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { exampleOrder, orderRef } from './payloads.js';

const payload = orderRef.extend({
  complaintId: z.string().regex(/^\d+$/),
  /** In which the complaint waits. */
  state: z.enum(waitingStates),
  nth: z.number().int().positive(),
});
type Payload = z.infer<typeof payload>;

/** Tells the people on call of a complaint that nobody has looked at for too long. */
export const complaintReminder: EventType<Payload> = {
  type: 'COMPLAINT_REMINDER',
  target: 'complaints',
  version: 1,
  schema: payload,
  example: { ...exampleOrder, complaintId: '1', state: 'APPLIED', nth: 1 },
  dedupeKey: ({ complaintId, state, nth }) => `${complaintId}:${state}:${nth}`,
  orderingKey: () => null,
  words: {
    zh: {
      name: '投诉提醒',
      does: '投诉等待处理过久时告警，之后每过同样的时间再提醒一次。',
      ifNever: '没有人知道有投诉在等。',
      affects: '投诉的用户。',
    },
    en: {
      name: 'Complaint waits',
      does: 'Raises an alert when a complaint waits for a person for too long, and again after each such time.',
      ifNever: 'Nobody knows that a complaint waits.',
      affects: 'The diner who complained.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'any',
      pending: 'allowed: the complaint stays in its queue, and nobody is reminded',
      errored: 'allowed: the complaint stays in its queue, and nobody is reminded',
    },
  ],
  createHandler: ({ complaints }) => createComplaintReminder(complaints),
};

const DEADLINE_MS = 10_000;
const DAY_MS = 86_400_000;

/** Of a complaint that has just come into a state in which a person is waited for. */
export async function recordReminder(
  tx: Tx,
  { id: complaintId, orderId, orderNo }: Pick<Complaint, 'id' | 'orderId' | 'orderNo'>,
  { state, nth = 1, inMs }: { state: Payload['state']; nth?: number; inMs: number },
  about: Pick<RecordOptions, 'requestId' | 'traceparent'>,
): Promise<void> {
  const options = { ...about, subjectId: orderId, subjectNo: orderNo, runInMs: inMs };
  await record(tx, complaintReminder, { complaintId, orderId, orderNo, state, nth }, options);
}

export function createComplaintReminder({
  database,
  alertAfterMs,
}: ComplaintDependencies): EventHandler<Payload> {
  return {
    definition: complaintReminder,
    limits: { deadlineMs: DEADLINE_MS, maxSnoozeMs: alertAfterMs + DAY_MS },
    async handle(event, context) {
      const { complaintId, state, nth } = event.payload;
      const complaint = await database.manager.findOneBy(Complaint, { id: complaintId });
      if (complaint?.state !== state)
        return { kind: 'done', outcome: null, note: `the complaint is ${complaint?.state ?? 'gone'}` };
      const waitMs = complaint.stateAt.getTime() + nth * alertAfterMs - context.now().getTime();
      if (waitMs > 0)
        return { kind: 'snooze', afterMs: waitMs, outcome: null, reason: EARLY, sentNothing: true };
      return {
        kind: 'done',
        outcome: null,
        note: `it has been ${state} since ${complaint.stateAt.toISOString()}`,
        effect: (tx) => remind(tx, complaint, event),
      };
    },
    refuseDiscard: async () => null, // the complaint stays in its queue
  };

  async function remind(tx: Tx, complaint: Complaint, event: ClaimedEvent<Payload>): Promise<void> {
    const { state, nth } = event.payload;
    await recordReminder(tx, complaint, { state, nth: nth + 1, inMs: alertAfterMs }, event);
    await raise(tx, {
      groupKey: 'complaint-waiting',
      kind: 'complaint-waiting',
      title: complaintReminder.type,
      cause: `complaint ${complaint.id} has been ${state} for too long`,
      eventType: complaintReminder.type,
      eventId: event.id,
      subjectId: complaint.orderId,
      subjectNo: complaint.orderNo,
    });
  }
}

const EARLY = 'it has not waited for so long yet';
