import type { Tx } from '../database/database.js';
import * as statements from './statements.js';
import type { ClaimedEvent } from './types.js';
import { wakeAfterCommit } from './wake.js';

/** Lets the oldest pending event of each key into the queue, after an event of the key has left it. */
export async function promoteNext(tx: Tx, ...orderingKeys: (string | null)[]): Promise<void> {
  const keys = [...new Set(orderingKeys.filter((key) => key !== null))];
  if (keys.length === 0) return;
  const oldest = await tx.query<Pick<statements.QueueRow, 'id' | 'queueAt'>>(statements.selectOldest(keys));
  const blocked = oldest.filter(({ queueAt }) => queueAt === null).map(({ id }) => String(id));
  if (blocked.length === 0) return;
  wakeAfterCommit(tx);
  await tx.execute(statements.promote(blocked));
}

/** If an older event of the key was requeued while this event ran, it goes first, now that this one waits. */
export async function yieldToOlder(tx: Tx, { id, orderingKey }: ClaimedEvent): Promise<void> {
  if (orderingKey === null) return;
  const older = await tx.query(statements.selectOlder(orderingKey, id));
  if (older.length === 0) return;
  await tx.execute(statements.block(id));
  await promoteNext(tx, orderingKey);
}
