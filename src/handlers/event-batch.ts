import type { Clock } from '../base/clock.js';
import type { Database } from '../database/database.js';
import { batchRun } from '../operate/batch/batch.js';
import { runBatchSlice } from '../operate/batch/run.js';
import { stopDiscarded } from '../operate/batch/stop.js';
import type { Registry } from '../outbox/registry.js';
import type { EventHandler } from '../outbox/types.js';
import type { EventType } from './event-type.js';

/** `operate/batch.ts` records it, so its definition stands there; the rest of the type is here. */
export const eventBatch: EventType<{ batchId: string }> = {
  ...batchRun,
  words: {
    zh: {
      name: '批量操作',
      does: '按速率执行一批已预览的重新执行或放弃。',
      ifNever: '其余事件保持停止状态。',
      affects: '这一批的事件。',
    },
    en: {
      name: 'Bulk act',
      does: 'Requeues or discards a previewed set of events at a rate.',
      ifNever: 'The rest of its events stay errored.',
      affects: 'The events of the set.',
    },
  },
  repeatable: true,
  discard: [
    {
      of: 'the batch runs',
      pending: 'allowed: the batch is stopped',
      errored: 'allowed: the batch is stopped',
    },
  ],
  createHandler: ({ energy, registry }) => createEventBatch({ ...energy, registry }),
};

export interface EventBatchDependencies {
  readonly database: Database;
  readonly clock: Clock;
  /** A function, because this handler is itself in the registry. */
  readonly registry: () => Registry;
}

/** Carries out a bulk act that a person has previewed and started, a few seconds at a time. */
export function createEventBatch({
  database,
  clock,
  registry,
}: EventBatchDependencies): EventHandler<{ batchId: string }> {
  return {
    definition: eventBatch,
    limits: { deadlineMs: 30_000, maxSnoozeMs: 24 * 3_600_000 },
    async handle({ payload }, context) {
      const slice = await runBatchSlice(database, registry(), payload.batchId, {
        signal: context.signal,
        sleep: (ms) => clock.sleep(ms),
      });
      if (slice.kind === 'ended') return { kind: 'done', outcome: null, note: slice.note };
      return {
        kind: 'snooze',
        afterMs: slice.inMs,
        outcome: null,
        reason: 'the batch goes on',
        sentNothing: true,
      };
    },
    refuseDiscard: async () => null,
    async onDiscarded(tx, event) {
      // Otherwise the batch would stay running for ever.
      if (event.payload) await stopDiscarded(tx, event.payload.batchId);
    },
  };
}
