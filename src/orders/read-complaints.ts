import { In, LessThan } from 'typeorm';
import type { Queryable } from '../database/database.js';
import { inIds } from '../database/rows.js';
import { fromSqlInstant } from '../database/sql.js';
import { Complaint, type ComplaintState, complaintStates, waitingStates } from '../entities/complaint.js';
import { ComplaintReview } from '../entities/complaint-review.js';
import { complaintView } from './complaint-view.js';
import { complaintsIn } from './statements.js';

export { complaintStates };

export interface ComplaintFilter {
  readonly state?: ComplaintState | undefined;
  readonly userId?: string | undefined;
  /** Older than this one. */
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listComplaints(
  { manager }: Queryable,
  { state, userId, beforeId, limit }: ComplaintFilter,
): Promise<Complaint[]> {
  const where = {
    ...(state === undefined ? {} : { state }),
    ...(userId === undefined ? {} : { userId }),
    ...(beforeId === undefined ? {} : { id: LessThan(beforeId) }),
  };
  return manager.find(Complaint, { where, order: { id: 'DESC' }, take: limit });
}

const QUEUE_MAX = 200;

/** What waits for a person, the longest first. */
export function complaintQueue({ manager }: Queryable): Promise<Complaint[]> {
  const where = { state: In(waitingStates) };
  return manager.find(Complaint, { where, order: { stateAt: 'ASC', id: 'ASC' }, take: QUEUE_MAX });
}

/** Oldest first, of each complaint by its id. */
export async function reviewsOf(
  { manager }: Queryable,
  complaints: readonly Pick<Complaint, 'id'>[],
): Promise<ReadonlyMap<string, ComplaintReview[]>> {
  const ids = complaints.map(({ id }) => id);
  const rows =
    ids.length === 0
      ? []
      : await manager.find(ComplaintReview, { where: { complaintId: inIds(ids) }, order: { id: 'ASC' } });
  return new Map(ids.map((id) => [id, rows.filter(({ complaintId }) => complaintId === id)]));
}

/** With its reviews; null: there is none. */
export async function readComplaint(queryable: Queryable, id: string) {
  const complaint = await queryable.manager.findOneBy(Complaint, { id });
  if (!complaint) return null;
  const reviews = await reviewsOf(queryable, [complaint]);
  return { complaint, view: complaintView(complaint, reviews.get(id) ?? []) };
}

export interface WaitingComplaints {
  readonly state: ComplaintState;
  readonly count: number;
  /** Since when the oldest of them waits. */
  readonly since: Date;
}

/** For the metrics. */
export async function countWaiting(queryable: Queryable): Promise<WaitingComplaints[]> {
  const rows = await queryable.query<{ state: ComplaintState; n: number | string; since: unknown }>(
    complaintsIn(waitingStates),
  );
  return rows.map(({ state, n, since }) => ({ state, count: Number(n), since: fromSqlInstant(since) }));
}
