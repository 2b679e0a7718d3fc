import { z } from 'zod';
import { cutCharacters } from '../base/text.js';
import { version } from '../base/version.js';
import type { Tx } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { after, now, raw, sql } from '../database/sql.js';
import { VAIN_QUESTIONS_TOLD } from '../outbox/decide.js';
import { record } from '../outbox/record.js';
import type { ClaimedEvent, EventDefinition, Failure } from '../outbox/types.js';
import { AFTER_CRASHES_MS, FIRST_AFTER_MS, PLACEMENT_FAILURES_MAX, PLACEMENT_WINDOW_MS } from './limits.js';

export const alertKinds = [
  'errored',
  'unknown',
  'loss',
  'placements-failing',
  'vendor-down',
  'drift',
  'poller-silent',
  'cannot-learn',
] as const;
export type AlertKind = (typeof alertKinds)[number];

export const alertSendType = 'WECOM_ALERT';

/** Enough of the event to record it; its handler (`handlers/alert-send.ts`) names the same type. */
const alertSendRecord: EventDefinition<{ alertId: string; round: number }> = {
  type: alertSendType,
  target: 'wecom',
  version: 1,
  schema: z.strictObject({ alertId: z.string(), round: z.number().int() }),
  example: { alertId: '1', round: 1 },
  dedupeKey: ({ alertId, round }) => `${alertId}:${round}`,
  orderingKey: () => null,
};

export interface Alert {
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
 * Adds one occurrence to its group, in the transaction of what happened: it cannot be lost, and nobody waits for WeCom.
 * Last in that transaction, because the group's row is shared by all that fails for the same cause.
 */
export async function raise(tx: Tx, alert: Alert): Promise<void> {
  const group = await count(tx, alert);
  await tx.execute(
    sql`INSERT INTO alert_occurrence (alert_id, event_id, subject_id, subject_no, at) VALUES (${group.id}, ${alert.eventId}, ${alert.subjectId}, ${alert.subjectNo}, ${now})`,
  );
  if (group.status === 'open' && (await hasVoice(tx, group))) return;
  const round = group.round + 1;
  // Whoever said "known" meant what was there then: a cause that comes back is news.
  const back =
    group.status === 'recovered'
      ? sql`, came_back = came_back + 1, known_at = NULL, known_by = NULL, known_reason = NULL`
      : sql``;
  await tx.execute(
    sql`UPDATE alert SET status = 'open', round = ${round}, unsent = 1, first_at = ${now}, sent_at = NULL, recovered_at = NULL ${back} WHERE id = ${group.id}`,
  );
  await record(tx, alertSendRecord, { alertId: group.id, round }, { runInMs: FIRST_AFTER_MS });
}

/** The engine's hook: what every errored event raises. */
export async function raiseErrored(
  tx: Tx,
  event: ClaimedEvent,
  failure: Failure,
  cause: string,
): Promise<void> {
  if (event.type === alertSendType) return speakAgain(tx, event, failure); // an alert about alerts would feed itself
  const kind: AlertKind =
    event.type === 'MEICAN_V2_CANCEL' && failure.code === 'ORDER_CLOSED'
      ? 'loss'
      : failure.outcome === 'unknown'
        ? 'unknown'
        : 'errored';
  const about = {
    eventType: event.type,
    eventId: event.id,
    subjectId: event.subjectId,
    subjectNo: event.subjectNo,
  };
  await raise(tx, {
    groupKey: cause,
    kind,
    title: event.type,
    cause: `${failure.code}: ${failure.message}`,
    ...about,
  });
  if (event.type !== 'MEICAN_NEW_V2_ORDER') return;
  const [row] = await tx.query<{ n: number | string }>(sql`
    SELECT COUNT(*) AS n FROM (SELECT id FROM outbox_event WHERE status = 'errored' AND type = ${event.type} AND settled_at > ${after(-PLACEMENT_WINDOW_MS)} LIMIT ${raw(String(PLACEMENT_FAILURES_MAX + 1))}) AS recent`);
  if (Number(row?.n) <= PLACEMENT_FAILURES_MAX) return;
  await raise(tx, {
    groupKey: 'placements-failing',
    kind: 'placements-failing',
    title: event.type,
    cause: `more than ${PLACEMENT_FAILURES_MAX} placements failed within 10 minutes`,
    ...about,
  });
}

/**
 * A refused message was logged at fatal by its sender. One whose workers died (a crash loop, a host that went away) was told to nobody,
 * and its cause may never fail again: an open group gets a new voice of its own, a minute later, so that it cannot feed a crash loop.
 */
async function speakAgain(tx: Tx, { payload }: ClaimedEvent, failure: Failure): Promise<void> {
  const of = alertSendRecord.schema.safeParse(payload);
  if (failure.code !== 'interrupted' || !of.success) return;
  const { alertId, round } = of.data;
  const { affected } = await tx.execute(
    sql`UPDATE alert SET round = ${round + 1} WHERE id = ${alertId} AND round = ${round} AND status = 'open'`,
  );
  if (affected > 0)
    await record(tx, alertSendRecord, { alertId, round: round + 1 }, { runInMs: AFTER_CRASHES_MS });
}

/** The engine's hook: several questions in a row got no usable answer, so that nobody learns what became of a call. The event goes on asking. */
export async function raiseAskedInVain(tx: Tx, event: ClaimedEvent, failure: Failure): Promise<void> {
  if (event.type === alertSendType) return;
  await raise(tx, {
    groupKey: `cannot-learn:${event.type}`,
    kind: 'cannot-learn',
    title: event.type,
    cause: `${VAIN_QUESTIONS_TOLD} questions in a row got no usable answer; it goes on asking. The last one: ${failure.code}: ${failure.message}`,
    eventType: event.type,
    eventId: event.id,
    subjectId: event.subjectId,
    subjectNo: event.subjectNo,
  });
}

/** A vendor is down: rings when its breaker opens; while it stays open the group is only kept alive. */
export async function raiseVendorDown(tx: Tx, target: string, isNew: boolean): Promise<void> {
  const groupKey = `vendor-down:${target}`;
  const kept = isNew
    ? 0
    : (
        await tx.execute(
          sql`UPDATE alert SET last_at = ${now} WHERE group_key = ${groupKey} AND status = 'open'`,
        )
      ).affected;
  if (kept > 0) return;
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

interface GroupRow {
  id: string;
  status: string;
  round: number;
}

async function count(tx: Tx, alert: Alert): Promise<GroupRow> {
  const bump = sql`UPDATE alert SET occurrences = occurrences + 1, unsent = unsent + 1, last_at = ${now}, cause = ${cutCharacters(alert.cause, 500)} WHERE group_key = ${alert.groupKey}`;
  if ((await tx.execute(bump)).affected === 0) {
    try {
      await tx.execute(sql`
        INSERT INTO alert (group_key, kind, status, title, cause, event_type, occurrences, unsent, round, first_at, last_at, build)
        VALUES (${alert.groupKey}, ${alert.kind}, 'new', ${cutCharacters(alert.title, 200)}, ${cutCharacters(alert.cause, 500)}, ${alert.eventType}, 1, 1, 0, ${now}, ${now}, ${version})`);
    } catch (error) {
      if (!duplicateOf(error)) throw error;
      await tx.execute(bump);
    }
  }
  const [row] = await tx.query<{ id: unknown; status: string; round: number }>(
    sql`SELECT id, status, round FROM alert WHERE group_key = ${alert.groupKey} ${raw(tx.dialect.forUpdate)}`,
  );
  if (!row) throw new Error('the alert group vanished');
  return { ...row, id: String(row.id) };
}

/** An open group speaks through one pending event; if that was errored or discarded, the group needs a new one. */
async function hasVoice(tx: Tx, group: GroupRow): Promise<boolean> {
  const key = `${alertSendType}:${alertSendRecord.dedupeKey({ alertId: group.id, round: group.round })}`;
  const rows = await tx.query(
    sql`SELECT id FROM outbox_event WHERE dedupe_key = ${key} AND status = 'pending'`,
  );
  return rows.length > 0;
}
