import type { Database, Tx } from '../database/database.js';
import { audit, type Signature } from './audit.js';
import { allInDoubt, inDoubt } from './statements.js';

/**
 * After a restore, a pending event may have been done since the backup. Marks every pending event as in doubt, so that its vendor is asked
 * before anything is repeated, and ends the leases of processes that are gone. Returns how many events. Audited.
 */
export async function doubtAll(database: Database, by: Signature): Promise<number> {
  return database.transaction(async (tx) => {
    const { affected } = await tx.execute(allInDoubt);
    await audit(tx, by, {
      verb: 'doubt-all',
      targetType: 'events',
      targetId: 'pending',
      subjectId: null,
      before: {},
      after: { events: affected },
    });
    return affected;
  });
}

/** Marks an event that was just recorded as in doubt: something like it may have been done before, so its vendor is asked first. */
export async function doubt(tx: Tx, id: string): Promise<void> {
  await tx.execute(inDoubt(tx.dialect, id));
}
