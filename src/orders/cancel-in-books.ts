import { Problem } from '../base/problems.js';
import type { BoxOrder } from '../entities/box-order.js';
import { type Cancelling, type OrderRead, readOrder } from './cancelling.js';
import type { Grant } from './lock.js';
import { type Cancelled, OrderChanged, writeCancel } from './write-cancel.js';

/**
 * T1. Null: the order had been cancelled before. The conditional UPDATE, not the lock, decides which of two
 * cancels wins. The order was read before the lock was held: if that state does not allow the cancel, the
 * order is read again under the lock before it is refused.
 */
export async function cancelInBooks(
  cancelling: Cancelling,
  beforeLock: OrderRead,
  lock: Grant,
): Promise<Cancelled | null> {
  for (let read = beforeLock; ; read = await readOrder(cancelling, cancelling.request)) {
    if (isCancellable(read.order)) {
      const cancelled = await endUnlessChanged(cancelling, read, lock);
      if (cancelled) return cancelled;
    } else if (read !== beforeLock) return refuse(read.order);
  }
}

function isCancellable({ status }: BoxOrder): boolean {
  return status === 'ORDERING' || status === 'ORDERED';
}

function refuse({ status }: BoxOrder): null {
  if (status === 'USER_CANCEL') return null;
  if (status === 'PAYING')
    throw new Problem('order-busy', { detail: 'the order is being paid', retryAfterS: 1 });
  throw new Problem('order-not-cancellable', { more: { currentStatus: status } });
}

/** Null: the order changed after it was read. */
async function endUnlessChanged(
  cancelling: Cancelling,
  read: OrderRead,
  lock: Grant,
): Promise<Cancelled | null> {
  try {
    return await cancelling.database.transaction((tx) => writeCancel(tx, cancelling, read, lock));
  } catch (error) {
    if (error instanceof OrderChanged) return null;
    throw error;
  }
}
