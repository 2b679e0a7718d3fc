import { IsNull, Not } from 'typeorm';
import type { Database } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { Alert } from '../entities/alert.js';
import { type Act, audit } from '../operate/audit.js';

const unknown = { knownAt: null, knownBy: null, knownReason: null };

export type KnownResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'conflict'; readonly status: string };

/** A person knows this open cause: no message about it until it has recovered and comes back. Audited. */
export async function markKnown(
  database: Database,
  id: string,
  act: Act & { reason: string },
): Promise<KnownResult> {
  return database.transaction(async (tx) => {
    const group = await tx.manager.findOne(Alert, { where: { id }, ...forUpdate(tx) });
    if (!group) return { kind: 'not-found' };
    if (group.status !== 'open') return { kind: 'conflict', status: group.status };
    if (group.knownAt !== null) return { kind: 'conflict', status: 'known' };
    const known = { knownAt: instant(tx), knownBy: act.actor, knownReason: act.reason };
    await tx.manager.update(Alert, { id }, known);
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

/** Messages about the cause are sent again. Audited. */
export async function unmarkKnown(database: Database, id: string, act: Act): Promise<KnownResult> {
  return database.transaction(async (tx) => {
    const where = { id, status: 'open', knownAt: Not(IsNull()) } as const;
    const { affected } = await tx.manager.update(Alert, where, unknown);
    if (affected === 0) {
      return (await tx.manager.existsBy(Alert, { id }))
        ? { kind: 'conflict', status: 'not known' }
        : { kind: 'not-found' };
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
