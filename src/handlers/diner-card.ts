import { z } from 'zod';
import { type CardWording, wordCard } from '../alerts/word.js';
import { mealTypes } from '../entities/menu.js';
import type { EventHandler } from '../outbox/types.js';
import { callContext, failureOf, usualAnswer } from './answer.js';
import type { WecomDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { exampleOrder, orderRef } from './payloads.js';

const payload = orderRef.extend({
  userId: z.string().min(1),
  dishName: z.string(),
  edibleDate: z.string(),
  mealType: z.enum(mealTypes),
});
type Payload = z.infer<typeof payload>;

/** Tells the diner that the order failed and that the points come back. */
export const dinerCard: EventType<Payload> = {
  type: 'WECOM_DINER_CARD',
  target: 'wecom',
  version: 1,
  schema: payload,
  example: {
    ...exampleOrder,
    userId: 'u1',
    dishName: '宫保鸡丁',
    edibleDate: '2026-11-23',
    mealType: 'LUNCH',
  },
  dedupeKey: ({ orderNo }) => orderNo,
  orderingKey: () => null,
  words: {
    zh: {
      name: '订餐失败通知',
      does: '用企业微信卡片告诉用户订餐失败。',
      ifNever: '用户到餐柜前才知道没有饭。',
      affects: '这位用户。',
    },
    en: {
      name: 'Card to the diner',
      does: 'Tells a diner by WeCom that the order failed.',
      ifNever: 'The diner learns it at the cabinet.',
      affects: 'This diner.',
    },
  },
  repeatable: false,
  discard: [
    {
      of: 'any',
      pending: 'allowed: the diner is not told',
      errored: 'allowed',
    },
  ],
  createHandler: ({ wecom }) => createDinerCard(wecom),
};

const NOBODY = '81013';

function createDinerCard({
  wecom,
  publicUrl,
  timeoutMs,
}: Pick<WecomDependencies, 'wecom' | 'publicUrl' | 'timeoutMs'>): EventHandler<Payload> {
  return {
    definition: dinerCard,
    limits: { deadlineMs: 4 * timeoutMs + 3_000, maxSnoozeMs: 6 * 3_600_000 },
    async handle(event, context) {
      if (!wecom.hasApplication)
        return {
          kind: 'done',
          outcome: 'not-applied',
          note: 'no WeCom application is configured: nobody was told',
        };
      const wording: CardWording = wordCard(event.payload, publicUrl);
      const outcome = await wecom.sendTextCard(
        { toUser: event.payload.userId, ...wording },
        callContext(context),
      );
      if (outcome.kind === 'applied') return { kind: 'done', outcome: 'applied' };
      if (outcome.kind === 'rejected' && outcome.code === NOBODY)
        return { kind: 'done', outcome: 'rejected', note: 'WeCom does not know this diner' };
      // An outage of WeCom delays the card and counts no failure. Repeating is safe: WeCom delivers the same
      // card once in half an hour.
      if (outcome.kind === 'rejected') return usualAnswer(outcome);
      return {
        kind: 'snooze',
        afterMs: outcome.kind === 'not-applied' && outcome.retryAfterMs ? outcome.retryAfterMs : 15_000,
        outcome: outcome.kind,
        reason: `WeCom: ${failureOf(outcome).message}`,
      };
    },
    refuseDiscard: async () => null, // the diner is not told; nothing else depends on it
  };
}
