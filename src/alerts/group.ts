import type { Database, Tx } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, now, raw, type Sql, sql } from '../database/sql.js';
import { inBatches, type PruneOptions } from '../operate/prune.js';
import { VAIN_QUESTIONS_TOLD } from '../outbox/decide.js';
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
  readonly recoveredAt: Date | null;
  /** Somebody knows: no message until it has recovered and comes back. */
  readonly known: { readonly at: Date; readonly by: string; readonly reason: string } | null;
  /** How often it came back after it had recovered. */
  readonly cameBack: number;
  /** The build that met it first. */
  readonly build: string | null;
}

/** What a person calls it. */
export type GroupState = 'open' | 'known' | 'regressed' | 'recovered';

export function stateOf(group: Pick<AlertGroup, 'status' | 'known' | 'cameBack'>): GroupState {
  if (group.status !== 'open') return 'recovered';
  if (group.known) return 'known';
  return group.cameBack > 0 ? 'regressed' : 'open';
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
  return row ? groupOf(row) : null;
}

/** The latest first. */
export async function listGroups(database: Database): Promise<AlertGroup[]> {
  return (
    await database.query<Record<string, unknown>>(sql`SELECT * FROM alert ORDER BY last_at DESC LIMIT 100`)
  ).map(groupOf);
}

function groupOf(row: Record<string, unknown>): AlertGroup {
  const knownAt = fromSqlInstantOrNull(row.known_at);
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
    recoveredAt: fromSqlInstantOrNull(row.recovered_at),
    known: knownAt ? { at: knownAt, by: String(row.known_by), reason: String(row.known_reason) } : null,
    cameBack: Number(row.came_back),
    build: row.build as string | null,
  };
}

/** The newest occurrences, newest first. */
export async function samplesOf(database: Database, alertId: string): Promise<Sample[]> {
  const rows = await database.query<{ event_id: string | null; subject_no: string | null }>(sql`
    SELECT event_id, subject_no FROM alert_occurrence WHERE alert_id = ${alertId} ORDER BY id DESC LIMIT 5`);
  return rows.slice(0, SAMPLES).map((row) => ({ eventId: row.event_id, subjectNo: row.subject_no }));
}

/**
 * Nothing of this cause is errored, or pending again, any more; none of its events still asks in vain; or, where it is not about single events,
 * nothing was heard of it for a while.
 */
export async function isDrained(database: Database, group: AlertGroup): Promise<boolean> {
  const rows = await database.query(
    group.kind === 'cannot-learn' ? stillAsking(group) : stillHeard(group, quietAfterMs[group.kind]),
  );
  return rows.length === 0;
}

function stillHeard(group: AlertGroup, quietMs: number | undefined): Sql {
  return quietMs === undefined
    ? sql`SELECT id FROM outbox_event WHERE cause = ${group.groupKey} AND cause_status IN ('errored', 'pending') LIMIT 1`
    : sql`SELECT id FROM alert WHERE id = ${group.id} AND last_at > ${after(-quietMs)}`;
}

/** By the occurrences of the group and the primary key of their events. */
function stillAsking(group: AlertGroup): Sql {
  return sql`
    SELECT e.id FROM alert_occurrence o JOIN outbox_event e ON e.id = CAST(o.event_id AS UNSIGNED)
    WHERE o.alert_id = ${group.id} AND e.status = 'pending' AND e.vain_questions >= ${VAIN_QUESTIONS_TOLD} LIMIT 1`;
}

/** Occurrences that came while the message was on its way stay unsent. */
export async function markSent(tx: Tx, group: AlertGroup): Promise<void> {
  await tx.execute(
    sql`UPDATE alert SET unsent = unsent - ${group.unsent}, sent_at = ${now} WHERE id = ${group.id} AND round = ${group.round}`,
  );
  await tx.execute(
    sql`UPDATE alert_message SET sent_at = ${now} WHERE alert_id = ${group.id} AND sent_at IS NULL`,
  );
}

/** If something was added meanwhile, the group stays open and the next occurrence gives it a new voice. */
export async function markRecovered(tx: Tx, group: AlertGroup): Promise<void> {
  await tx.execute(
    sql`UPDATE alert SET status = 'recovered', recovered_at = ${now} WHERE id = ${group.id} AND round = ${group.round}`,
  );
  await tx.execute(
    sql`UPDATE alert_message SET sent_at = ${now} WHERE alert_id = ${group.id} AND sent_at IS NULL`,
  );
}

/** Deletes what happened long ago, the oldest first, in small batches. The groups and their counts stay. Returns how many. */
export async function pruneOccurrences(database: Database, options: PruneOptions): Promise<number> {
  return inBatches(options, async () => {
    const { affected } = await database.execute(sql`
      DELETE FROM alert_occurrence WHERE id IN (SELECT id FROM (SELECT id, at FROM alert_occurrence ORDER BY id LIMIT ${raw(String(options.batchSize))}) AS oldest WHERE at < ${after(-options.keepMs)})`);
    return affected;
  });
}
