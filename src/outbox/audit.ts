import type { Tx } from '../database/database.js';
import { now, sql } from '../database/sql.js';

/** Who does something by hand, and why: written with the deed, never without. */
export interface Act {
  readonly actor: string;
  readonly role: string;
  readonly reason: string | null;
  readonly requestId: string | null;
}

export interface Deed {
  readonly verb: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly subjectId: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** One row of the audit, in the transaction of the deed. */
export async function audit(tx: Tx, act: Act, deed: Deed): Promise<void> {
  await tx.execute(sql`
    INSERT INTO operator_action (at, actor, role, verb, target_type, target_id, subject_id, reason, state_before, state_after, request_id)
    VALUES (${now}, ${act.actor}, ${act.role}, ${deed.verb}, ${deed.targetType}, ${deed.targetId}, ${deed.subjectId}, ${act.reason}, ${JSON.stringify(deed.before)}, ${JSON.stringify(deed.after)}, ${act.requestId})`);
}
