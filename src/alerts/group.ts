import { In, IsNull } from 'typeorm';
import type { Database, Tx } from '../database/database.js';
import { instant, isAfter } from '../database/instants.js';
import { Alert, type AlertKind } from '../entities/alert.js';
import { AlertMessage } from '../entities/alert-message.js';
import { AlertOccurrence } from '../entities/alert-occurrence.js';
import { Complaint, waitingStates } from '../entities/complaint.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { VAIN_QUESTIONS_TOLD } from '../outbox/decide.js';
import { DRIFT_QUIET_MS, QUIET_MS, QUIET_POLLER_MS, VENDOR_QUIET_MS } from './limits.js';

/** An alert as its readers see it. */
export interface AlertGroup extends Omit<Alert, 'knownAt' | 'knownBy' | 'knownReason'> {
  /** A person knows the cause: no message until it has recovered and comes back. */
  readonly known: { readonly at: Date; readonly by: string; readonly reason: string } | null;
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
const GROUPS = 100;

/** Groups that are not about single events recover by silence. */
const quietAfterMs: Partial<Record<AlertKind, number>> = {
  'placements-failing': QUIET_MS,
  'vendor-down': VENDOR_QUIET_MS,
  drift: DRIFT_QUIET_MS,
  'poller-silent': QUIET_POLLER_MS,
};

export async function loadGroup(database: Database, id: string): Promise<AlertGroup | null> {
  const row = await database.manager.findOneBy(Alert, { id });
  return row && groupOf(row);
}

/** The latest first. */
export async function listGroups(database: Database): Promise<AlertGroup[]> {
  return (await database.manager.find(Alert, { order: { lastAt: 'DESC' }, take: GROUPS })).map(groupOf);
}

function groupOf({ knownAt, knownBy, knownReason, ...row }: Alert): AlertGroup {
  return {
    ...row,
    known: knownAt ? { at: knownAt, by: String(knownBy), reason: String(knownReason) } : null,
  };
}

/** The newest occurrences, newest first. */
export async function samplesOf(database: Database, alertId: string): Promise<Sample[]> {
  const options = { where: { alertId }, order: { id: 'DESC' }, take: SAMPLES } as const;
  const rows = await database.manager.find(AlertOccurrence, options);
  return rows.map(({ eventId, subjectNo }) => ({ eventId, subjectNo }));
}

/**
 * The cause is over. Where the group is about events: none of its events is errored or pending again, or none
 * still asks in vain. Otherwise: nothing was added for a while.
 */
export async function isDrained(database: Database, group: AlertGroup): Promise<boolean> {
  if (group.kind === 'complaint-waiting') return !(await isComplaintWaiting(database, group));
  if (group.kind === 'cannot-learn') return !(await isStillAsking(database, group));
  const quietMs = quietAfterMs[group.kind];
  if (quietMs !== undefined)
    return !(await database.manager.existsBy(Alert, { id: group.id, lastAt: isAfter(database, -quietMs) }));
  const unsettled = { cause: group.groupKey, causeStatus: In(['errored', 'pending']) };
  return !(await database.manager.existsBy(OutboxEvent, unsettled));
}

/** None of the complaints that the group tells of has moved since. By the orders of its occurrences. */
function isComplaintWaiting({ manager }: Database, group: AlertGroup): Promise<boolean> {
  return manager
    .createQueryBuilder(AlertOccurrence, 'o')
    .innerJoin(Complaint, 'c', 'c.orderId = CAST(o.subjectId AS UNSIGNED)')
    .where('o.alertId = :id', { id: group.id })
    .andWhere('c.state IN (:...waiting) AND c.stateAt <= o.at', { waiting: waitingStates })
    .getExists();
}

/** By the occurrences of the group and the primary key of their events. */
function isStillAsking({ manager }: Database, group: AlertGroup): Promise<boolean> {
  return manager
    .createQueryBuilder(AlertOccurrence, 'o')
    .innerJoin(OutboxEvent, 'e', 'e.id = CAST(o.eventId AS UNSIGNED)')
    .where('o.alertId = :id', { id: group.id })
    .andWhere("e.status = 'pending' AND e.vainQuestions >= :told", { told: VAIN_QUESTIONS_TOLD })
    .getExists();
}

/** Occurrences that came while the message was on its way stay unsent. */
export async function markSent(tx: Tx, group: AlertGroup): Promise<void> {
  const { id, round } = group;
  const sent = { unsent: () => `unsent - ${Number(group.unsent)}`, sentAt: instant(tx) };
  await tx.manager.update(Alert, { id, round }, sent);
  await markMessagesSent(tx, id);
}

/**
 * If an occurrence was added meanwhile, the group stays open and the next occurrence gives it an event to
 * speak through.
 */
export async function markRecovered(tx: Tx, { id, round }: AlertGroup): Promise<void> {
  await tx.manager.update(Alert, { id, round }, { status: 'recovered', recoveredAt: instant(tx) });
  await markMessagesSent(tx, id);
}

async function markMessagesSent(tx: Tx, alertId: string): Promise<void> {
  await tx.manager.update(AlertMessage, { alertId, sentAt: IsNull() }, { sentAt: instant(tx) });
}
