import { takeSlot } from '../alerts/budget.js';
import {
  type AlertGroup,
  isDrained,
  loadGroup,
  markRecovered,
  markSent,
  samplesOf,
} from '../alerts/group.js';
import { DIGEST_EVERY_MS, FIRST_AFTER_MS } from '../alerts/limits.js';
import { type AlertMessage, alertMessage } from '../alerts/raise.js';
import { cutBytes, wordAlert, wordRecovery } from '../alerts/word.js';
import type { Outcome } from '../clients/outcome.js';
import { WEBHOOK_DEAD } from '../clients/wecom.js';
import { sql } from '../database/sql.js';
import type { EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { callContext, usualAnswer } from './answer.js';
import type { HandlerDependencies, WecomDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';

/**
 * Tells the people on call about one alert group: one event lives as long as the group is open and sends the first message, the
 * digests and the recovery. `alerts/raise.ts` records it, so its definition stands there; the rest of the type is here.
 */
export const alertSend: EventType<AlertMessage> = {
  ...alertMessage,
  words: {
    zh: {
      name: '告警发送',
      does: '向值班群发送一组告警。',
      ifNever: '没有人知道出了问题。',
      affects: '值班人员。',
    },
    en: {
      name: 'Alert',
      does: 'Sends a group of alerts to the people on call.',
      ifNever: 'Nobody knows that something is wrong.',
      affects: 'The people on call.',
    },
  },
  repeatable: false,
  discard: [
    {
      of: 'its group is open',
      pending: 'refused: mark the cause as *known* instead',
      errored: 'allowed: the next occurrence records a new event for the group',
    },
  ],
  createHandler: ({ wecom, alertNameOf }) => createAlertSend({ ...wecom, alertNameOf }),
};

const LOOK_AGAIN_MS = 60_000;
const SLOT_WAIT_MS = 5_000;
const AWAY_MS = 15_000;
const DEAD_WAIT_MS = 5 * 60_000;
const TEXT_MAX_BYTES = 2_048;

export function createAlertSend({
  database,
  wecom,
  publicUrl,
  onCallUsers,
  timeoutMs,
  lastResort,
  alertNameOf,
}: WecomDependencies & Pick<HandlerDependencies, 'alertNameOf'>): EventHandler<AlertMessage> {
  return {
    definition: alertSend,
    limits: { deadlineMs: 4 * timeoutMs + 5_000, maxSnoozeMs: 365 * 86_400_000 }, // ends with its group
    async handle(event, context) {
      const group = await loadGroup(database, event.payload.alertId);
      if (!group || group.round !== event.payload.round || group.status !== 'open')
        return { kind: 'done', outcome: null, note: 'the group has moved on' };
      if (group.known) return silently(group);
      const sinceSentMs = group.sentAt ? context.now().getTime() - group.sentAt.getTime() : null;
      if (group.unsent > 0 && (sinceSentMs === null || sinceSentMs >= DIGEST_EVERY_MS))
        return sendNews(group, context);
      if (group.unsent === 0 && (await isDrained(database, group))) return sendRecovery(group, context);
      const afterMs =
        group.unsent > 0 && sinceSentMs !== null ? DIGEST_EVERY_MS - sinceSentMs : LOOK_AGAIN_MS;
      return {
        kind: 'snooze',
        afterMs: Math.min(Math.max(afterMs, FIRST_AFTER_MS), LOOK_AGAIN_MS),
        outcome: null,
        reason: 'the group is open; nothing new to say yet',
      };
    },
    // The voice of an open group is not taken away in silence; `known` keeps it quiet, audited, until the cause comes back.
    async refuseDiscard(queryable, { status, payload: of }) {
      if (status === 'errored' || of === null) return null;
      const open = await queryable.query(
        sql`SELECT id FROM alert WHERE id = ${of.alertId} AND round = ${of.round} AND status = 'open'`,
      );
      return open.length > 0
        ? 'people on call hear of an open cause by it: mark the cause as known instead'
        : null;
    },
  };

  /** Somebody knows of it: its end is noted, and nobody is told. */
  async function silently(group: AlertGroup): Promise<HandlerOutcome> {
    if (await isDrained(database, group))
      return {
        kind: 'done',
        outcome: null,
        note: 'recovered; it was known',
        effect: (tx) => markRecovered(tx, group),
      };
    return {
      kind: 'snooze',
      afterMs: LOOK_AGAIN_MS,
      outcome: null,
      reason: `known to ${group.known?.by}: nobody is told`,
    };
  }

  async function sendNews(group: AlertGroup, context: HandlerContext): Promise<HandlerOutcome> {
    const text = wordAlert(group, await samplesOf(database, group.id), publicUrl, alertNameOf);
    return send(group, group.sentAt ? 'digest' : 'first', text, context, {
      kind: 'snooze',
      afterMs: LOOK_AGAIN_MS,
      outcome: 'applied',
      reason: 'sent; the group is still open',
      effect: (tx) => markSent(tx, group),
    });
  }

  async function sendRecovery(group: AlertGroup, context: HandlerContext): Promise<HandlerOutcome> {
    return send(group, 'recovery', wordRecovery(group, publicUrl, alertNameOf), context, {
      kind: 'done',
      outcome: 'applied',
      note: 'recovered',
      effect: (tx) => markRecovered(tx, group),
    });
  }

  async function send(
    group: AlertGroup,
    kind: 'first' | 'digest' | 'recovery',
    text: string,
    context: HandlerContext,
    whenSent: HandlerOutcome,
  ): Promise<HandlerOutcome> {
    if (!wecom.hasRobot && !canTellPeople()) {
      lastResort('no alert channel is configured', text);
      return whenSent;
    }
    if (!(await context.step((tx) => takeSlot(tx, group.id, kind, text))))
      return {
        kind: 'snooze',
        afterMs: SLOT_WAIT_MS,
        outcome: null,
        reason: "waiting for the robot's budget",
      };
    const outcome = wecom.hasRobot
      ? await wecom.sendToRobot(text, callContext(context))
      : await tellPeople(text, context);
    if (outcome.kind === 'applied') return whenSent;
    if (outcome.kind === 'rejected' && WEBHOOK_DEAD.includes(outcome.code))
      return otherChannel(outcome.code, text, context, whenSent);
    if (outcome.kind === 'rejected') {
      lastResort(`the alert was refused: ${outcome.code}`, text);
      return usualAnswer(outcome);
    }
    return {
      kind: 'snooze',
      afterMs: outcome.kind === 'not-applied' && outcome.retryAfterMs ? outcome.retryAfterMs : AWAY_MS,
      outcome: outcome.kind,
      reason: `WeCom: ${outcome.message}`,
    };
  }

  async function otherChannel(
    code: string,
    text: string,
    context: HandlerContext,
    whenSent: HandlerOutcome,
  ): Promise<HandlerOutcome> {
    lastResort(`the robot is dead: ${code}`, text);
    if (canTellPeople() && (await tellPeople(text, context)).kind === 'applied') return whenSent;
    return {
      kind: 'snooze',
      afterMs: DEAD_WAIT_MS,
      outcome: 'rejected',
      reason: `the robot is dead (${code})`,
    };
  }

  function canTellPeople(): boolean {
    return wecom.hasApplication && onCallUsers.length > 0;
  }

  function tellPeople(text: string, context: HandlerContext): Promise<Outcome<null>> {
    return wecom.sendText(
      onCallUsers.join('|'),
      cutBytes(text.replace(/<[^<>]*>/g, ''), TEXT_MAX_BYTES),
      callContext(context),
    );
  }
}
