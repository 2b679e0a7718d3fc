import type { z } from 'zod';
import { wordCard } from '../alerts/word.js';
import type { EventType } from './event-type.js';
import { cardDiscard, createCard, exampleCard, cardPayload as payload } from './send-card.js';

type Payload = z.infer<typeof payload>;

/** Tells the diner that the order failed and that the points come back. */
export const dinerCard: EventType<Payload> = {
  type: 'WECOM_DINER_CARD',
  target: 'wecom',
  version: 1,
  schema: payload,
  example: exampleCard,
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
  discard: cardDiscard,
  createHandler: ({ wecom }) => createCard(dinerCard, wordCard, wecom),
};
