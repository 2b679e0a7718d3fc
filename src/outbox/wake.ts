import type { DataSource } from 'typeorm';
import type { Database, Tx } from '../database/database.js';

/** What falls due later than this is found by a sweep in good time. */
export const WAKE_AHEAD_MS = 15_000;

const listeners = new WeakMap<DataSource, Set<() => void>>();

/** Calls `listener` after each commit that made an event due. A hint: the sweep finds what a missed
 * call was about. Returns the function that ends it. */
export function onDue(database: Database, listener: () => void): () => void {
  const set = listeners.get(database.source) ?? new Set();
  listeners.set(database.source, set.add(listener));
  return () => void set.delete(listener);
}

/** Within a transaction that makes an event due: tell the listeners, once it has committed. */
export function wakeAfterCommit(tx: Tx): void {
  tx.afterCommit(() => {
    for (const listener of listeners.get(tx.manager.dataSource) ?? []) listener();
  });
}
