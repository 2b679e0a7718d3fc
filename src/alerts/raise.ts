import { z } from 'zod';
import { cutCharacters } from '../base/text.js';
import { version } from '../base/version.js';
import type { Tx } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { instant, isAfter } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { insertRow } from '../database/rows.js';
import { Alert, type AlertKind } from '../entities/alert.js';
import { AlertOccurrence } from '../entities/alert-occurrence.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { VAIN_QUESTIONS_TOLD } from '../outbox/decide.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, EventDefinition, Failure } from '../outbox/types.js';
import { AFTER_CRASHES_MS, FIRST_AFTER_MS, SURGE_MAX, SURGE_WINDOW_MS } from './limits.js';

/** The event that sends a group's messages. Its handler, `handlers/alert-send.ts`, completes this definition. */
export const alertMessage: EventDefinition<AlertMessage> = {
  type: 'WECOM_ALERT',
  target: 'wecom',
  version: 1,
  schema: z.strictObject({ alertId: z.string(), round: z.number().int() }),
  example: { alertId: '1', round: 1 },
  dedupeKey: ({ alertId, round }) => `${alertId}:${round}`,
  orderingKey: () => null,
};

export interface AlertMessage {
  readonly alertId: string;
  readonly round: number;
}

/** What an event type says about the alerts of its errored events. */
export interface AlertRules {
  /** After these failures what was paid for is lost: the vendor refused for good to undo it. */
  readonly lossCodes?: readonly string[];
  /** Many errored events of this type within a short time raise one alert more, of this kind. */
  readonly surge?: { readonly kind: AlertKind; readonly what: string };
}

/** What happened, for the group of `groupKey`. */
export interface Occurred {
  readonly groupKey: string;
  readonly kind: AlertKind;
  readonly title: string;
  readonly cause: string;
  readonly eventType: string | null;
  readonly eventId: string | null;
  readonly subjectId: string | null;
  readonly subjectNo: string | null;
}

/**
 * Adds one occurrence to its group, in the transaction of what happened: the alert cannot be lost, and the
 * transaction does not wait for WeCom. Call it last in that transaction, because every failure of the same
 * cause locks the group's row.
 */
export async function raise(tx: Tx, alert: Occurred): Promise<void> {
  const group = await count(tx, alert);
  const { eventId, subjectId, subjectNo } = alert;
  const occurrence = { alertId: group.id, eventId, subjectId, subjectNo, at: instant(tx) };
  await insertRow(tx, AlertOccurrence, occurrence);
  if (group.status === 'open' && (await hasSender(tx, group))) return;
  const round = group.round + 1;
  const opened = {
    status: 'open',
    round,
    unsent: 1,
    firstAt: instant(tx),
    sentAt: null,
    recoveredAt: null,
  } as const;
  // A cause that comes back is news, even to a person who knew it before it had recovered.
  const back = { cameBack: () => 'came_back + 1', knownAt: null, knownBy: null, knownReason: null };
  await tx.manager.update(
    Alert,
    { id: group.id },
    group.status === 'recovered' ? { ...opened, ...back } : opened,
  );
  await record(tx, alertMessage, { alertId: group.id, round }, { runInMs: FIRST_AFTER_MS });
}

/** The engine's hook: the alerts that every errored event raises. */
export function createRaiseErrored(rulesOf: (type: string) => AlertRules | undefined) {
  return async (tx: Tx, event: ClaimedEvent, failure: Failure, cause: string): Promise<void> => {
    if (event.type === alertMessage.type) return sendAgain(tx, event, failure); // an alert about alerts would feed itself
    const rules = rulesOf(event.type) ?? {};
    await raise(tx, {
      ...aboutEvent(event),
      groupKey: cause,
      kind: kindOf(failure, rules),
      cause: `${failure.code}: ${failure.message}`,
    });
    if (rules.surge) await raiseSurge(tx, event, rules.surge);
  };
}

function kindOf(failure: Failure, { lossCodes = [] }: AlertRules): AlertKind {
  if (lossCodes.includes(failure.code)) return 'loss';
  return failure.outcome === 'unknown' ? 'unknown' : 'errored';
}

async function raiseSurge(
  tx: Tx,
  event: ClaimedEvent,
  { kind, what }: NonNullable<AlertRules['surge']>,
): Promise<void> {
  const recent = await tx.manager.find(OutboxEvent, {
    select: { id: true },
    where: { status: 'errored', type: event.type, settledAt: isAfter(tx, -SURGE_WINDOW_MS) },
    take: SURGE_MAX + 1,
  });
  if (recent.length <= SURGE_MAX) return;
  await raise(tx, {
    ...aboutEvent(event),
    groupKey: kind,
    kind,
    cause: `more than ${SURGE_MAX} ${what} failed within 10 minutes`,
  });
}

function aboutEvent({ type, id, subjectId, subjectNo }: ClaimedEvent) {
  return { title: type, eventType: type, eventId: id, subjectId, subjectNo };
}

/**
 * The event that sends a group's messages has errored. If WeCom refused the message, its sender has logged it
 * at fatal. If its workers died (a crash loop, a host that went away), no person has heard of it, and its
 * cause may never fail again: an open group gets another event, a minute later, so that it cannot feed a
 * crash loop.
 */
async function sendAgain(tx: Tx, { payload }: ClaimedEvent, failure: Failure): Promise<void> {
  const of = alertMessage.schema.safeParse(payload);
  if (failure.code !== 'interrupted' || !of.success) return;
  const { alertId, round } = of.data;
  const { affected } = await tx.manager.update(
    Alert,
    { id: alertId, round, status: 'open' },
    { round: round + 1 },
  );
  if (affected) await record(tx, alertMessage, { alertId, round: round + 1 }, { runInMs: AFTER_CRASHES_MS });
}

/**
 * The engine's hook: several questions in a row got no usable answer, so that the outcome of a call stays
 * unknown. The event goes on asking.
 */
export async function raiseAskedInVain(tx: Tx, event: ClaimedEvent, failure: Failure): Promise<void> {
  if (event.type === alertMessage.type) return;
  await raise(tx, {
    ...aboutEvent(event),
    groupKey: `cannot-learn:${event.type}`,
    kind: 'cannot-learn',
    cause: `${VAIN_QUESTIONS_TOLD} questions in a row got no usable answer; it goes on asking. The last one: ${failure.code}: ${failure.message}`,
  });
}

/**
 * A vendor is down: an alert when its breaker opens. While it stays open, the group's time is moved on and
 * nothing is sent.
 */
export async function raiseVendorDown(tx: Tx, target: string, isNew: boolean): Promise<void> {
  const groupKey = `vendor-down:${target}`;
  if (!isNew) {
    const kept = await tx.manager.update(Alert, { groupKey, status: 'open' }, { lastAt: instant(tx) });
    if (kept.affected) return;
  }
  await raise(tx, {
    groupKey,
    kind: 'vendor-down',
    title: target,
    cause: 'the vendor cannot be reached, or answers nothing; its events wait and count no failures',
    eventType: null,
    eventId: null,
    subjectId: null,
    subjectNo: null,
  });
}

/** Counts it in its group, which is made if there is none, and holds the group's row. */
async function count(tx: Tx, alert: Occurred): Promise<Alert> {
  const { groupKey, kind, eventType } = alert;
  const cause = cutCharacters(alert.cause, 500);
  if (!(await bump(tx, groupKey, cause))) {
    try {
      const title = cutCharacters(alert.title, 200);
      const counts = { occurrences: 1, unsent: 1, round: 0, firstAt: instant(tx), lastAt: instant(tx) };
      const group = {
        groupKey,
        kind,
        status: 'new',
        title,
        cause,
        eventType,
        ...counts,
        build: version,
      } as const;
      await insertRow(tx, Alert, group);
    } catch (error) {
      if (!duplicateOf(error)) throw error;
      await bump(tx, groupKey, cause);
    }
  }
  return tx.manager.findOneOrFail(Alert, { where: { groupKey }, ...forUpdate(tx) });
}

async function bump(tx: Tx, groupKey: string, cause: string): Promise<boolean> {
  const { affected } = await tx.manager.update(
    Alert,
    { groupKey },
    { occurrences: () => 'occurrences + 1', unsent: () => 'unsent + 1', lastAt: instant(tx), cause },
  );
  return affected === 1;
}

/**
 * An open group sends its messages by one pending event; when that was errored or discarded, the group needs
 * a new one.
 */
function hasSender(tx: Tx, { id, round }: Alert): Promise<boolean> {
  const dedupeKey = `${alertMessage.type}:${alertMessage.dedupeKey({ alertId: id, round })}`;
  return tx.manager.existsBy(OutboxEvent, { dedupeKey, status: 'pending' });
}
