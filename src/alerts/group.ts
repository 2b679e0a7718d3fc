import type { Database, Tx } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, now, sql } from '../database/sql.js';
import { DRIFT_QUIET_MS, QUIET_MS, QUIET_POLLER_MS, VENDOR_QUIET_MS } from './limits.js';
import type { AlertKind } from './raise.js';

export interface AlertGroup {
  readonly id: string;
  readonly groupKey: string;
  readonly kind: AlertKind;
  readonly status: string;
  readonly title: string;
  readonly cause: string;
  readonly eventType: string | null;
  readonly occurrences: number;
  readonly unsent: number;
  readonly round: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly sentAt: Date | null;
}

export interface Sample {
  readonly eventId: string | null;
  readonly subjectNo: string | null;
}

const SAMPLES = 5;

/** Groups that are not about single events recover by silence. */
const quietAfterMs: Partial<Record<AlertKind, number>> = {
  'placements-failing': QUIET_MS,
  'vendor-down': VENDOR_QUIET_MS,
  drift: DRIFT_QUIET_MS,
  'poller-silent': QUIET_POLLER_MS,
};

export async function loadGroup(database: Database, id: string): Promise<AlertGroup | null> {
  const [row] = await database.query<Record<string, unknown>>(sql`SELECT * FROM alert WHERE id = ${id}`);
  if (!row) return null;
  return {
    id: String(row.id),
    groupKey: String(row.group_key),
    kind: row.kind as AlertKind,
    status: String(row.status),
    title: String(row.title),
    cause: String(row.cause),
    eventType: row.event_type as string | null,
    occurrences: Number(row.occurrences),
    unsent: Number(row.unsent),
    round: Number(row.round),
    firstAt: fromSqlInstant(row.first_at),
    lastAt: fromSqlInstant(row.last_at),
    sentAt: fromSqlInstantOrNull(row.sent_at),
  };
}

/** The newest occurrences, newest first. */
export async function samplesOf(database: Database, alertId: string): Promise<Sample[]> {
  const rows = await database.query<{ event_id: string | null; subject_no: string | null }>(sql`
    SELECT event_id, subject_no FROM alert_occurrence WHERE alert_id = ${alertId} ORDER BY id DESC LIMIT 5`);
  return rows.slice(0, SAMPLES).map((row) => ({ eventId: row.event_id, subjectNo: row.subject_no }));
}

/** Nothing of this cause is errored, or pending again, any more; or, where it is not about single events, nothing was heard of it for a while. */
export async function isDrained(database: Database, group: AlertGroup): Promise<boolean> {
  const quietMs = quietAfterMs[group.kind];
  const rows =
    quietMs === undefined
      ? await database.query(sql`SELECT id FROM outbox_event WHERE cause = ${group.groupKey} AND status IN ('errored', 'pending') LIMIT 1`)
      : await database.query(sql`SELECT id FROM alert WHERE id = ${group.id} AND last_at > ${after(-quietMs)}`);
  return rows.length === 0;
}

/** Occurrences that came while the message was on its way stay unsent. */
export async function markSent(tx: Tx, group: AlertGroup): Promise<void> {
  await tx.execute(sql`UPDATE alert SET unsent = unsent - ${group.unsent}, sent_at = ${now} WHERE id = ${group.id} AND round = ${group.round}`);
  await tx.execute(sql`UPDATE alert_message SET sent_at = ${now} WHERE alert_id = ${group.id} AND sent_at IS NULL`);
}

/** If something was added meanwhile, the group stays open and the next occurrence gives it a new voice. */
export async function markRecovered(tx: Tx, group: AlertGroup): Promise<void> {
  await tx.execute(sql`UPDATE alert SET status = 'recovered', recovered_at = ${now} WHERE id = ${group.id} AND round = ${group.round}`);
  await tx.execute(sql`UPDATE alert_message SET sent_at = ${now} WHERE alert_id = ${group.id} AND sent_at IS NULL`);
}
