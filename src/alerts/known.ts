import { IsNull, Not } from 'typeorm';
import { Problem, WrongState } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { instant } from '../database/instants.js';
import { forUpdate } from '../database/locks.js';
import { Alert } from '../entities/alert.js';
import { audit, type Signature } from '../operate/audit.js';

const unknown = { knownAt: null, knownBy: null, knownReason: null };

export const noSuchCause = (): Problem => new Problem('not-found', { detail: 'there is no such cause' });

/**
 * A person knows this open cause: no message about it until it has recovered and comes back. Audited. Throws
 * Problem `not-found` or `cause-not-open`.
 */
export async function markKnown(
  database: Database,
  id: string,
  by: Signature & { reason: string },
): Promise<void> {
  await database.transaction(async (tx) => {
    const group = await tx.manager.findOne(Alert, { where: { id }, ...forUpdate(tx) });
    if (!group) throw noSuchCause();
    if (group.status !== 'open') throw new WrongState('cause-not-open', group.status);
    if (group.knownAt !== null) throw new WrongState('cause-not-open', 'known');
    const known = { knownAt: instant(tx), knownBy: by.actor, knownReason: by.reason };
    await tx.manager.update(Alert, { id }, known);
    await audit(tx, by, {
      verb: 'know',
      targetType: 'cause',
      targetId: id,
      subjectId: null,
      before: { state: 'open' },
      after: { state: 'known' },
    });
  });
}

/** Messages about the cause are sent again. Audited. Throws Problem `not-found` or `cause-not-open`. */
export async function unmarkKnown(database: Database, id: string, by: Signature): Promise<void> {
  await database.transaction(async (tx) => {
    const where = { id, status: 'open', knownAt: Not(IsNull()) } as const;
    const { affected } = await tx.manager.update(Alert, where, unknown);
    if (affected === 0) {
      throw (await tx.manager.existsBy(Alert, { id }))
        ? new WrongState('cause-not-open', 'not known')
        : noSuchCause();
    }
    await audit(tx, by, {
      verb: 'unknow',
      targetType: 'cause',
      targetId: id,
      subjectId: null,
      before: { state: 'known' },
      after: { state: 'open' },
    });
  });
}
