import { z } from 'zod';
import { wordCabinetCard } from '../alerts/word-cabinet-card.js';
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
  cabinet: z.string(),
});
type Payload = z.infer<typeof payload>;

/** Tells the diner in which cabinet the box is. */
export const cabinetCard: EventType<Payload> = {
  type: 'WECOM_CABINET_CARD',
  target: 'wecom',
  version: 1,
  schema: payload,
  example: {
    ...exampleOrder,
    userId: 'u1',
    dishName: '宫保鸡丁',
    edibleDate: '2026-11-23',
    mealType: 'LUNCH',
    cabinet: 'A 座 1 层',
  },
  dedupeKey: ({ orderNo }) => orderNo,
  orderingKey: () => null,
  words: {
    zh: {
      name: '入柜通知',
      does: '用企业微信卡片告诉用户餐已放入哪个餐柜。',
      ifNever: '用户不知道可以取餐了。',
      affects: '这位用户。',
    },
    en: {
      name: 'Card: in the cabinet',
      does: 'Tells a diner by WeCom in which cabinet the box is.',
      ifNever: 'The diner does not know that the box is there.',
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
  createHandler: ({ wecom }) => createCabinetCard(wecom),
};

export function createCabinetCard({
  wecom,
  publicUrl,
  timeoutMs,
}: Pick<WecomDependencies, 'wecom' | 'publicUrl' | 'timeoutMs'>): EventHandler<Payload> {
  return {
    definition: cabinetCard,
    limits: cardLimits(timeoutMs),
    handle: ({ payload: card }, context) =>
      sendCard(wecom, card.userId, wordCabinetCard(card, publicUrl), context),
    refuseDiscard: async () => null, // the diner is not told; nothing else depends on it
  };
}
