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
import { wordAlert, wordRecovery } from '../alerts/word.js';
import type { Database } from '../database/database.js';
import { Alert } from '../entities/alert.js';
import type { EventHandler, HandlerContext, HandlerOutcome } from '../outbox/types.js';
import { createDeliver } from './deliver-alert.js';
import type { HandlerDependencies, WecomDependencies } from './dependencies.js';
import type { EventType } from './event-type.js';

/**
 * Tells the people on call about one alert group: one event lives as long as the group is open and sends the
 * first message, the digests and the recovery. `alerts/raise.ts` records it, so its definition stands there;
 * the rest of the type is here.
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

function createAlertSend(
  dependencies: WecomDependencies & Pick<HandlerDependencies, 'alertNameOf'>,
): EventHandler<AlertMessage> {
  const { database, publicUrl, timeoutMs, alertNameOf } = dependencies;
  const deliver = createDeliver(dependencies);
  return {
    definition: alertSend,
    limits: { deadlineMs: 4 * timeoutMs + 5_000, maxSnoozeMs: 365 * 86_400_000 }, // ends with its group
    async handle(event, context) {
      const group = await loadGroup(database, event.payload.alertId);
      if (!group || group.round !== event.payload.round || group.status !== 'open')
        return { kind: 'done', outcome: null, note: 'the group has moved on' };
      if (group.known) return whileKnown(database, group);
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
    // People on call hear of an open cause only by this event. Marking the cause as known silences it,
    // audited, until the cause comes back.
    async refuseDiscard(queryable, { status, payload: of }) {
      if (status === 'errored' || of === null) return null;
      const { alertId: id, round } = of;
      return (await queryable.manager.existsBy(Alert, { id, round, status: 'open' }))
        ? 'people on call hear of an open cause by it: mark the cause as known instead'
        : null;
    },
  };

  async function sendNews(group: AlertGroup, context: HandlerContext): Promise<HandlerOutcome> {
    const text = wordAlert(group, await samplesOf(database, group.id), publicUrl, alertNameOf);
    const kind = group.sentAt ? 'digest' : 'first';
    return deliver({ groupId: group.id, kind, text }, context, {
      kind: 'snooze',
      afterMs: LOOK_AGAIN_MS,
      outcome: 'applied',
      reason: 'sent; the group is still open',
      effect: (tx) => markSent(tx, group),
    });
  }

  async function sendRecovery(group: AlertGroup, context: HandlerContext): Promise<HandlerOutcome> {
    const text = wordRecovery(group, publicUrl, alertNameOf);
    return deliver({ groupId: group.id, kind: 'recovery', text }, context, {
      kind: 'done',
      outcome: 'applied',
      note: 'recovered',
      effect: (tx) => markRecovered(tx, group),
    });
  }
}

/** A person knows of the cause: no message is sent, and its recovery is only written down. */
async function whileKnown(database: Database, group: AlertGroup): Promise<HandlerOutcome> {
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
