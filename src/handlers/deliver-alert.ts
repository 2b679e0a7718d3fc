import { takeSlot } from '../alerts/budget.js';
import { cutBytes } from '../alerts/word.js';
import type { Outcome } from '../clients/outcome.js';
import { WEBHOOK_DEAD } from '../clients/wecom.js';
import type { HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import type { WecomDependencies } from './dependencies.js';

const SLOT_WAIT_MS = 5_000;
const AWAY_MS = 15_000;
const DEAD_WAIT_MS = 5 * 60_000;
const TEXT_MAX_BYTES = 2_048;

interface Message {
  readonly groupId: string;
  readonly kind: 'first' | 'digest' | 'recovery';
  readonly text: string;
}

type Deliver = (
  message: Message,
  context: HandlerContext,
  whenSent: HandlerOutcome,
) => Promise<HandlerOutcome>;

/**
 * Sends a message to the robot, within its budget. Without a robot, or when the robot is dead, to the people
 * on call by application message; when neither works, to the log.
 */
export function createDeliver({
  wecom,
  onCallUsers,
  lastResort,
}: Pick<WecomDependencies, 'wecom' | 'onCallUsers' | 'lastResort'>): Deliver {
  const canTellPeople = (): boolean => wecom.hasApplication && onCallUsers.length > 0;

  return async ({ groupId, kind, text }, context, whenSent) => {
    if (!wecom.hasRobot && !canTellPeople()) {
      lastResort('no alert channel is configured', text);
      return whenSent;
    }
    if (!(await context.step((tx) => takeSlot(tx, groupId, kind, text))))
      return snooze(SLOT_WAIT_MS, null, "waiting for the robot's budget");
    const outcome = wecom.hasRobot
      ? await wecom.sendToRobot(text, callContext(context))
      : await tellPeople(text, context);
    if (outcome.kind === 'applied') return whenSent;
    if (outcome.kind === 'rejected' && WEBHOOK_DEAD.includes(outcome.code))
      return withoutRobot(outcome.code, text, context, whenSent);
    if (outcome.kind === 'rejected') {
      lastResort(`the alert was refused: ${outcome.code}`, text);
      return usualAnswer(outcome);
    }
    const waitMs = outcome.kind === 'not-applied' && outcome.retryAfterMs ? outcome.retryAfterMs : AWAY_MS;
    return snooze(waitMs, outcome.kind, `WeCom: ${outcome.message}`);
  };

  async function withoutRobot(
    code: string,
    text: string,
    context: HandlerContext,
    whenSent: HandlerOutcome,
  ): Promise<HandlerOutcome> {
    lastResort(`the robot is dead: ${code}`, text);
    if (canTellPeople() && (await tellPeople(text, context)).kind === 'applied') return whenSent;
    return snooze(DEAD_WAIT_MS, 'rejected', `the robot is dead (${code})`);
  }

  function tellPeople(text: string, context: HandlerContext): Promise<Outcome<null>> {
    const plainText = cutBytes(text.replace(/<[^<>]*>/g, ''), TEXT_MAX_BYTES);
    return wecom.sendText(onCallUsers.join('|'), plainText, callContext(context));
  }
}

function snooze(afterMs: number, outcome: Outcome<null>['kind'] | null, reason: string): HandlerOutcome {
  return { kind: 'snooze', afterMs, outcome, reason };
}
