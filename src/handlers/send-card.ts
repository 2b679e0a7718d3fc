import { z } from 'zod';
import type { CardWording } from '../alerts/word.js';
import type { WecomClient } from '../clients/wecom.js';
import { mealTypes } from '../entities/menu.js';
import type { EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, failureOf, usualAnswer } from './answer.js';
import type { WecomDependencies } from './dependencies.js';
import type { DiscardRule, EventType } from './event-type.js';
import { exampleOrder, orderRef } from './payloads.js';

/** WeCom knows no such person. */
const NOBODY = '81013';
const AWAY_MS = 15_000;

/** What every card tells of an order. */
export const cardPayload = orderRef.extend({
  userId: z.string().min(1),
  dishName: z.string(),
  edibleDate: z.string(),
  mealType: z.enum(mealTypes),
});

export const exampleCard = {
  ...exampleOrder,
  userId: 'u1',
  dishName: '宫保鸡丁',
  edibleDate: '2026-11-23',
  mealType: 'LUNCH',
} as const;

/** Nothing depends on a card. */
export const cardDiscard: readonly DiscardRule[] = [
  { of: 'any', pending: 'allowed: the diner is not told', errored: 'allowed' },
];

export function createCard<P extends z.infer<typeof cardPayload>>(
  definition: EventType<P>,
  word: (card: P, publicUrl: string) => CardWording,
  { wecom, publicUrl, timeoutMs }: WecomDependencies,
): EventHandler<P> {
  return {
    definition,
    limits: { deadlineMs: 4 * timeoutMs + 3_000, maxSnoozeMs: 6 * 3_600_000 },
    handle: ({ payload }, context) => sendCard(wecom, payload.userId, word(payload, publicUrl), context),
    refuseDiscard: async () => null,
  };
}

/**
 * Sends a card to a diner. An outage of WeCom delays it and counts no failure. Repeating is safe: WeCom delivers
 * the same card once in half an hour.
 */
async function sendCard(
  wecom: WecomClient,
  toUser: string,
  wording: CardWording,
  context: HandlerContext,
): Promise<HandlerOutcome> {
  if (!wecom.hasApplication)
    return {
      kind: 'done',
      outcome: 'not-applied',
      note: 'no WeCom application is configured: nobody was told',
    };
  const outcome = await wecom.sendTextCard({ toUser, ...wording }, callContext(context));
  if (outcome.kind === 'applied') return { kind: 'done', outcome: 'applied' };
  if (outcome.kind === 'rejected' && outcome.code === NOBODY)
    return { kind: 'done', outcome: 'rejected', note: 'WeCom does not know this diner' };
  if (outcome.kind === 'rejected') return usualAnswer(outcome);
  return {
    kind: 'snooze',
    afterMs: outcome.kind === 'not-applied' && outcome.retryAfterMs ? outcome.retryAfterMs : AWAY_MS,
    outcome: outcome.kind,
    reason: `WeCom: ${failureOf(outcome).message}`,
  };
}
