import { type DataSource, LessThan } from 'typeorm';
import type { Database, Tx } from '../database/database.js';
import { instant } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { OperatorAction } from '../entities/operator-action.js';

/** Who acts by hand, and why: written in the audit with every act. */
export interface Signature {
  readonly actor: string;
  readonly role: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** Where the request came from; absent from the command line. */
  readonly ip?: string;
}

export interface AuditEntry {
  readonly verb: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly subjectId: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

const listeners = new WeakMap<DataSource, Set<(verb: string) => void>>();

/** Calls `listener` after each commit of a person's act. */
export function onAct(database: Database, listener: (verb: string) => void): void {
  listeners.set(database.source, (listeners.get(database.source) ?? new Set()).add(listener));
}

/** Writes one row of the audit, in the transaction of the act. */
export async function audit(tx: Tx, by: Signature, entry: AuditEntry): Promise<void> {
  const { actor, role, reason, requestId, ip = null } = by;
  const { verb, targetType, targetId, subjectId } = entry;
  await insertRow(tx, OperatorAction, {
    at: instant(tx),
    actor,
    role,
    verb,
    targetType,
    targetId,
    subjectId,
    reason,
    requestId,
    ip,
    stateBefore: JSON.stringify(entry.before),
    stateAfter: JSON.stringify(entry.after),
  });
  tx.afterCommit(() => {
    for (const listener of listeners.get(tx.manager.dataSource) ?? []) listener(entry.verb);
  });
}

const ACTIONS_MAX = 50;

/** What people did, the latest first, fifty at a time; to one target, or to all. */
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
