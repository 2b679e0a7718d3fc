import { Problem } from '../base/problems.js';
import type { Tx } from '../database/database.js';
import type { VendorOutcome } from '../entities/outbox-event.js';
import { audit, type Signature } from './audit.js';
import { eventForUpdate } from './statements.js';

/** The row of an event that a person acts on, locked until the end of the transaction. */
export interface LockedEvent {
  readonly id: number | string;
  readonly type: string;
  readonly payload: string;
  readonly status: string;
  readonly outcome: VendorOutcome | null;
  readonly unknown_at: unknown;
  readonly last_error_code: string | null;
  readonly ordering_key: string | null;
  readonly lease_until: unknown;
  readonly subject_id: string | null;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly failures: number;
  readonly attempt: number;
}

export const noSuchEvent = (): Problem => new Problem('not-found', { detail: 'there is no such event' });

/** Throws Problem `not-found`. */
export async function lockEvent(tx: Tx, id: string): Promise<LockedEvent> {
  const [event] = await tx.query<LockedEvent>(eventForUpdate(tx.dialect, id));
  if (!event) throw noSuchEvent();
  return event;
}

/** The audit row of an act that moves an event from its status to `status`. */
export function auditEvent(
  tx: Tx,
  by: Signature,
  event: LockedEvent,
  { verb, status }: { verb: string; status: string },
): Promise<void> {
  const { attempt } = event;
  return audit(tx, by, {
    verb,
    targetType: 'event',
    targetId: String(event.id),
    subjectId: event.subject_id,
    before: { status: event.status, attempt },
    after: { status, attempt },
  });
}
