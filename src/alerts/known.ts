import type { Database } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import { type Act, audit } from '../operate/audit.js';

export type KnownResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'conflict'; readonly status: string };

/** Somebody knows this open cause: no more messages about it until it has recovered and comes back. Audited. */
export async function markKnown(
  database: Database,
  id: string,
  act: Act & { reason: string },
): Promise<KnownResult> {
  return database.transaction(async (tx) => {
    const [group] = await tx.query<{ status: string; known_at: unknown }>(
      sql`SELECT status, known_at FROM alert WHERE id = ${id} ${raw(tx.dialect.forUpdate)}`,
    );
    if (!group) return { kind: 'not-found' };
    if (group.status !== 'open') return { kind: 'conflict', status: group.status };
    if (group.known_at !== null) return { kind: 'conflict', status: 'known' };
    await tx.execute(
      sql`UPDATE alert SET known_at = ${now}, known_by = ${act.actor}, known_reason = ${act.reason} WHERE id = ${id}`,
    );
    await audit(tx, act, {
      verb: 'know',
      targetType: 'cause',
      targetId: id,
      subjectId: null,
      before: { state: 'open' },
      after: { state: 'known' },
    });
    return { kind: 'done' };
  });
}

/** It is to ring again. Audited. */
export async function unmarkKnown(database: Database, id: string, act: Act): Promise<KnownResult> {
  return database.transaction(async (tx) => {
    const { affected } = await tx.execute(
      sql`UPDATE alert SET known_at = NULL, known_by = NULL, known_reason = NULL WHERE id = ${id} AND status = 'open' AND known_at IS NOT NULL`,
    );
    if (affected === 0) {
      const [group] = await tx.query(sql`SELECT id FROM alert WHERE id = ${id}`);
      return group ? { kind: 'conflict', status: 'not known' } : { kind: 'not-found' };
    }
    await audit(tx, act, {
      verb: 'unknow',
      targetType: 'cause',
      targetId: id,
      subjectId: null,
      before: { state: 'known' },
      after: { state: 'open' },
    });
    return { kind: 'done' };
  });
}
