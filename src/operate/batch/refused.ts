import { toRfc3339 } from '../../base/clock.js';
import { Problem } from '../../base/problems.js';
import type { Batch } from './batch.js';

/** `count`: the number that was sent is not the set's. `second-person`: the set is too large for the person who previewed it. */
export type BatchRefusal = 'expired' | 'empty' | 'count' | 'second-person' | 'status';

const details: Record<BatchRefusal, string> = {
  expired: 'the preview is older than fifteen minutes: make a new one',
  empty: 'there is nothing in it',
  count: 'send the number of its events as `count`',
  'second-person': 'another person must start a set of this size',
  status: 'it is not in a state for that',
};

export class BatchRefused extends Problem {
  constructor(
    readonly why: BatchRefusal,
    readonly batch: Batch,
  ) {
    super('batch-refused', { detail: detailOf(why, batch), more: { why } });
  }
}

/** A person who comes second learns who started it, and when. */
function detailOf(why: BatchRefusal, { status, executor, startedAt }: Batch): string {
  if (why !== 'status' || executor === null || startedAt === null) return details[why];
  return `it was started by ${executor} at ${toRfc3339(startedAt)}, and is ${status}`;
}
