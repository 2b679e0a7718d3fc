import { type DataSource, LessThan } from 'typeorm';
import type { Database, Tx } from '../database/database.js';
import { now, sql } from '../database/sql.js';
import { OperatorAction } from '../entities/operator-action.js';

/** Who does something by hand, and why: written with the deed, never without. */
export interface Act {
  readonly actor: string;
  readonly role: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** Where the request came from; absent from the command line. */
  readonly ip?: string;
}

export interface Deed {
  readonly verb: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly subjectId: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

const listeners = new WeakMap<DataSource, Set<(verb: string) => void>>();

/** Calls `listener` after each commit of something that a person did. */
export function onAct(database: Database, listener: (verb: string) => void): void {
  listeners.set(database.source, (listeners.get(database.source) ?? new Set()).add(listener));
}

/** One row of the audit, in the transaction of the deed. */
export async function audit(tx: Tx, act: Act, deed: Deed): Promise<void> {
  await tx.execute(sql`
    INSERT INTO operator_action (at, actor, role, verb, target_type, target_id, subject_id, reason, state_before, state_after, request_id, ip)
    VALUES (${now}, ${act.actor}, ${act.role}, ${deed.verb}, ${deed.targetType}, ${deed.targetId}, ${deed.subjectId}, ${act.reason}, ${JSON.stringify(deed.before)}, ${JSON.stringify(deed.after)}, ${act.requestId}, ${act.ip ?? null})`);
  tx.afterCommit(() => {
    for (const listener of listeners.get(tx.manager.dataSource) ?? []) listener(deed.verb);
  });
}

const ACTIONS_MAX = 50;

/** What people did, the latest first, fifty at a time; of one target, or of all. */
export async function listActions(
  database: Database,
  beforeId: string | undefined,
  target?: { type: string; id: string },
): Promise<{ rows: OperatorAction[]; nextId: string | null }> {
  const where = {
    ...(beforeId ? { id: LessThan(beforeId) } : {}),
    ...(target ? { targetType: target.type, targetId: target.id } : {}),
  };
  const rows = await database.manager.find(OperatorAction, {
    where,
    order: { id: 'DESC' },
    take: ACTIONS_MAX + 1,
  });
  const shown = rows.slice(0, ACTIONS_MAX);
  return { rows: shown, nextId: rows.length > ACTIONS_MAX ? (shown.at(-1)?.id ?? null) : null };
}
