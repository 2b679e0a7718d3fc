import { z } from 'zod';
import { wordCabinetCard } from '../alerts/word-cabinet-card.js';
import type { EventType } from './event-type.js';
import { cardDiscard, cardPayload, createCard, exampleCard } from './send-card.js';

const payload = cardPayload.extend({ cabinet: z.string() });
type Payload = z.infer<typeof payload>;

/** Tells the diner in which cabinet the box is. */
export const cabinetCard: EventType<Payload> = {
  type: 'WECOM_CABINET_CARD',
  target: 'wecom',
  version: 1,
  schema: payload,
  example: { ...exampleCard, cabinet: 'A 座 1 层' },
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
  discard: cardDiscard,
  createHandler: ({ wecom }) => createCard(cabinetCard, wordCabinetCard, wecom),
};
