import { Problem } from '../base/problems.js';
import type { Database, Queryable } from '../database/database.js';
import { after, fromSqlInstant, fromSqlInstantOrNull, now, sql } from '../database/sql.js';
import type { Registry } from '../outbox/registry.js';
import { wakeAfterCommit } from '../outbox/wake.js';
import { audit, type Signature } from './audit.js';

/** The longest pause; who needs a longer one pauses again. Milliseconds. */
export const PAUSE_MAX_MS = 24 * 3_600_000;

export interface Pause {
  readonly id: string;
  /** `type`: one event type; `target`: every type that calls this vendor. */
  readonly scope: 'type' | 'target';
  readonly name: string;
  readonly type: string;
  readonly fromAt: Date;
  /** It ends by itself then. */
  readonly untilAt: Date;
  readonly endedAt: Date | null;
  readonly actor: string;
  readonly reason: string;
}

/**
 * Nothing of this type, or of this target, is claimed until `forMs` are over; attempts that run go on. Audited. Throws Problem `not-found`
 * or `already-paused`.
 */
export async function pause(
  database: Database,
  registry: Registry,
  { scope, name, forMs }: Pick<Pause, 'scope' | 'name'> & { forMs: number },
  by: Signature & { reason: string },
): Promise<void> {
  const types = registry
    .all()
    .filter((handler) => (scope === 'type' ? handler.definition.type : handler.definition.target) === name);
  if (types.length === 0) throw new Problem('not-found', { detail: `there is no ${scope} of this name` });
  await database.transaction(async (tx) => {
    const paused = await tx.query(
      sql`SELECT id FROM event_pause WHERE scope = ${scope} AND name = ${name} AND until_at > ${now} AND ended_at IS NULL LIMIT 1`,
    );
    if (paused.length > 0) throw new Problem('already-paused');
    for (const { definition } of types) {
      await tx.execute(sql`
        INSERT INTO event_pause (scope, name, type, from_at, until_at, actor, reason)
        VALUES (${scope}, ${name}, ${definition.type}, ${now}, ${after(Math.min(forMs, PAUSE_MAX_MS))}, ${by.actor}, ${by.reason})`);
    }
    await audit(tx, by, {
      verb: 'pause',
      targetType: scope,
      targetId: name,
      subjectId: null,
      before: {},
      after: { forMs },
    });
  });
}

/** Ends a pause before its time. Audited. Throws Problem `not-found`. */
export async function resume(
  database: Database,
  { scope, name }: Pick<Pause, 'scope' | 'name'>,
  by: Signature,
): Promise<void> {
  await database.transaction(async (tx) => {
    const { affected } = await tx.execute(
      sql`UPDATE event_pause SET ended_at = ${now} WHERE scope = ${scope} AND name = ${name} AND until_at > ${now} AND ended_at IS NULL`,
    );
    if (affected === 0) throw new Problem('not-found', { detail: 'it is not paused' });
    await audit(tx, by, {
      verb: 'resume',
      targetType: scope,
      targetId: name,
      subjectId: null,
      before: {},
      after: {},
    });
    wakeAfterCommit(tx);
  });
}

/** What is paused now, the newest first. */
export async function activePauses(database: Queryable): Promise<Pause[]> {
  const rows = await database.query<Record<string, unknown>>(
    sql`SELECT id, scope, name, type, from_at, until_at, ended_at, actor, reason FROM event_pause WHERE until_at > ${now} AND ended_at IS NULL ORDER BY id DESC LIMIT 100`,
  );
  return rows.map((row) => ({
    id: String(row.id),
    scope: row.scope as Pause['scope'],
    name: String(row.name),
    type: String(row.type),
    fromAt: fromSqlInstant(row.from_at),
    untilAt: fromSqlInstant(row.until_at),
    endedAt: fromSqlInstantOrNull(row.ended_at),
    actor: String(row.actor),
    reason: String(row.reason),
  }));
}
