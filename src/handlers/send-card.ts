import type { CardWording } from '../alerts/word.js';
import type { WecomClient } from '../clients/wecom.js';
import type { EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, failureOf, usualAnswer } from './answer.js';

/** WeCom knows no such person. */
const NOBODY = '81013';
const AWAY_MS = 15_000;

export function cardLimits(timeoutMs: number): EventHandler['limits'] {
  return { deadlineMs: 4 * timeoutMs + 3_000, maxSnoozeMs: 6 * 3_600_000 };
}

/**
 * Sends a card to a diner. An outage of WeCom delays it and counts no failure. Repeating is safe: WeCom delivers
 * the same card once in half an hour.
 */
export async function sendCard(
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
