import { z } from 'zod';
import type { Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import type { EventHandler } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import type { EnergyDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { stillInDoubt } from './in-doubt.js';
import { cents, dedupeOf, repair } from './payloads.js';

const payload = z.strictObject({
  recordNo: z.string().min(1),
  userId: z.string().min(1),
  amountInCent: cents,
  canteen: z.string(),
  consumedAt: z.iso.datetime({ offset: true }),
  repair,
});
type Payload = z.infer<typeof payload>;

/** Tells the energy center of a meal eaten at a canteen till (智盘). */
export const consumptionSync: EventType<Payload> = {
  type: 'ZHIPAN_SYNC_ERROR',
  target: 'energy',
  version: 1,
  schema: payload,
  example: {
    recordNo: 'Z1',
    userId: 'u1',
    amountInCent: 1200,
    canteen: 'A1',
    consumedAt: '2026-11-23T12:00:00Z',
  },
  dedupeKey: ({ recordNo, repair: nth }) => dedupeOf(recordNo, nth),
  orderingKey: ({ recordNo }) => `energy:consumption:${recordNo}`,
  words: {
    zh: {
      name: '智盘消费同步',
      does: '把食堂刷卡消费同步到能量点中心。',
      ifNever: '能量点中心缺少这笔消费。',
      affects: '对账；用户暂无感知。',
    },
    en: {
      name: 'Till sync',
      does: 'Tells the energy center of a meal eaten at a canteen till.',
      ifNever: 'The consumption is missing there.',
      affects: 'Accounting; the diner does not notice.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'row PENDING',
      pending: 'refused: let it go on',
      errored: 'refused, unless the energy center refused the record for good: row REFUSED',
    },
  ],
  createHandler: ({ energy }) => createConsumptionSync(energy),
};

/**
 * The energy center takes each record number once and offers no query for it: after an unknown outcome the
 * call is repeated.
 */
export function createConsumptionSync({
  energy,
  timeoutMs,
}: Pick<EnergyDependencies, 'energy' | 'timeoutMs'>): EventHandler<Payload> {
  return {
    definition: consumptionSync,
    limits: { deadlineMs: 2 * timeoutMs + 2_000, maxSnoozeMs: 30 * 60_000 },
    async handle(event, context) {
      const outcome = await energy.syncConsumption(
        { ...event.payload, consumedAt: new Date(event.payload.consumedAt) },
        callContext(context),
      );
      // The query is not about the consumption. An answer to it shows the breaker that the energy center is
      // up and only this call fails.
      if (outcome.kind === 'unknown')
        await energy.findCardAccountInfo(event.payload.userId, callContext(context));
      if (outcome.kind !== 'applied')
        return event.unknownAt === null ? usualAnswer(outcome) : stillInDoubt(usualAnswer(outcome), false);
      return {
        kind: 'done',
        outcome: 'applied',
        note: outcome.duplicate ? 'had been synced already' : 'synced',
        effect: (tx) => markSynced(tx, event.payload.recordNo),
      };
    },
    onStatedDone: (tx, { recordNo }) => markSynced(tx, recordNo),
    async refuseDiscard(queryable, event) {
      if (!(await queryable.manager.existsBy(CanteenConsumption, { eventId: event.id, status: 'PENDING' })))
        return null;
      if (event.status === 'errored' && event.outcome === 'rejected') return null;
      return event.status === 'pending'
        ? 'the energy center does not know of this meal yet: let it go on'
        : 'the energy center has not refused this meal: requeue it, or settle it as done with proof';
    },
    // The energy center refused the record for good, and a person accepts that.
    async onDiscarded(tx, { id }) {
      const refused = { status: 'REFUSED', updatedAt: instant(tx) } as const;
      await tx.manager.update(CanteenConsumption, { eventId: id, status: 'PENDING' }, refused);
    },
  };
}

async function markSynced(tx: Tx, recordNo: string): Promise<void> {
  const synced = { status: 'SYNCED', updatedAt: instant(tx) } as const;
  await tx.manager.update(CanteenConsumption, { recordNo, status: 'PENDING' }, synced);
}
