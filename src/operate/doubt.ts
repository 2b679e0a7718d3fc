import type { Database, Tx } from '../database/database.js';
import { now, raw, sql } from '../database/sql.js';
import { type Act, audit } from './audit.js';

/**
 * After a restore: what is pending may have been done since the backup. Every pending event is marked as in doubt, so that its vendor is
 * asked before anything is repeated; leases of processes that are gone end. Returns how many. Audited.
 */
export async function doubtAll(database: Database, act: Act): Promise<number> {
  return database.transaction(async (tx) => {
    const { affected } = await tx.execute(sql`
      UPDATE outbox_event SET unknown_at = ${now}, outcome = 'unknown', lease_until = NULL, claimed_by = NULL, queue_at = CASE WHEN queue_at IS NULL THEN NULL ELSE run_at END WHERE status = 'pending'`);
    await audit(tx, act, {
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

/** Of an event just recorded: something like it may have been done before. Its vendor is asked first. */
export async function doubt(tx: Tx, id: string): Promise<void> {
  await tx.execute(
    sql`UPDATE outbox_event ${raw(tx.dialect.byPrimaryKey)} SET unknown_at = ${now}, outcome = 'unknown' WHERE id = ${id} AND status = 'pending'`,
  );
}
