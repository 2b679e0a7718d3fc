import { z } from 'zod';
import { wordCard } from '../alerts/word.js';
import { mealTypes } from '../entities/menu.js';
import type { EventHandler } from '../outbox/types.js';
import type { WecomDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';
import { exampleOrder, orderRef } from './payloads.js';
import { cardLimits, sendCard } from './send-card.js';

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

function createDinerCard({
  wecom,
  publicUrl,
  timeoutMs,
}: Pick<WecomDependencies, 'wecom' | 'publicUrl' | 'timeoutMs'>): EventHandler<Payload> {
  return {
    definition: dinerCard,
    limits: cardLimits(timeoutMs),
    handle: ({ payload: card }, context) => sendCard(wecom, card.userId, wordCard(card, publicUrl), context),
    refuseDiscard: async () => null, // the diner is not told; nothing else depends on it
  };
}
