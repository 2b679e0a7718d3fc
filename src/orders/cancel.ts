import { crashPoint } from '../base/crash-point.js';
import { Problem } from '../base/problems.js';
import { CommitUnknown, isUnavailable } from '../database/errors.js';
import type { BoxOrder } from '../entities/box-order.js';
import { energyKey, meicanKey } from '../handlers/payloads.js';
import { type Answer, begin, endFailed, keepAnswer } from '../http/idempotency.js';
import { cancelInBooks } from './cancel-in-books.js';
import {
  type CancelBody,
  type CancelDependencies,
  type Cancelling,
  type CancelRequest,
  type OrderRead,
  readBody,
  readOrder,
} from './cancelling.js';
import { orderKey, userKey } from './lock.js';
import type { Cancelled } from './write-cancel.js';

/**
 * Cancels a live order: our own books at once; the refund and the cancel at Meican as events, carried out
 * here within the budget. Throws Problem.
 */
export async function cancel(dependencies: CancelDependencies, request: CancelRequest): Promise<Answer> {
  const { database } = dependencies;
  const found = await begin(database, request.attempted);
  if (found.kind === 'answer') return found.answer;
  const { ticket } = found;
  const cancelling = { ...dependencies, request, ticket };
  try {
    const read = await readOrder(dependencies, request);
    const cancelled = await cancelUnderLocks(cancelling, read);
    crashPoint('cancel-after-t1');
    const answer = cancelled?.isAnswered
      ? { status: 202, body: cancelled.body, replayed: false }
      : await carryOut(cancelling, read.order, cancelled);
    crashPoint('cancel-before-answer');
    return answer;
  } catch (error) {
    return endFailed(database, ticket, error);
  }
}

/** T1. Null: the order had been cancelled before. An order that was read as cancelled needs no lock. */
async function cancelUnderLocks(cancelling: Cancelling, read: OrderRead): Promise<Cancelled | null> {
  const { order } = read;
  if (order.status === 'USER_CANCEL') return null;
  const keys = [userKey(order.userId), orderKey(order.id)];
  try {
    return await cancelling.locks.withLock(keys, (lock) => cancelInBooks(cancelling, read, lock));
  } catch (error) {
    const isBusy = error instanceof Problem && error.code === 'order-busy';
    if (!isBusy && !(error instanceof CommitUnknown)) throw error;
    // The holder of the lock may be cancelling this very order, and a commit without an answer may have
    // succeeded.
    const latest = await readOrder(cancelling, cancelling.request).catch(() => null);
    if (latest?.order.status === 'USER_CANCEL') return null;
    throw error;
  }
}

/**
 * The order is cancelled, by this request (`cancelled`) or before it: 200 when refund and vendor are settled,
 * else 202. No failure from here on undoes the cancel.
 */
async function carryOut(
  cancelling: Cancelling,
  order: BoxOrder,
  cancelled: Cancelled | null,
): Promise<Answer> {
  const { database, outbox, ticket, inlineBudgetMs } = cancelling;
  try {
    if (cancelled)
      await outbox.runInline([energyKey(order.orderNo), meicanKey(order.orderNo)], inlineBudgetMs);
    const body = await readBody(cancelling, order.id);
    const status = isSettled(body) ? 200 : 202;
    // A repeat finds the order cancelled, and answers by the same rule.
    await keepAnswer(database, ticket, status, body).catch(() => {});
    return { status, body, replayed: false };
  } catch (error) {
    if (!isUnavailable(error)) outbox.signals.emit('sweep-failed', { error });
    if (cancelled) return { status: 202, body: cancelled.body, replayed: false };
    throw new Problem('outcome-unknown', {
      detail: 'the order is cancelled; what followed cannot be read now',
      retryAfterS: 2,
      cause: error,
    });
  }
}

function isSettled({ order, events }: CancelBody): boolean {
  return (
    order.refund !== 'PENDING' && events.every(({ status }) => status === 'handled' || status === 'discarded')
  );
}
