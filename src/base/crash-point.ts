/**
 * The crash kit: named points at which a test kills this very process, as SIGKILL would. Off, a point costs one comparison.
 * `CRASH_AT=after-claim` kills at the first passage; `CRASH_AT=after-claim:3` at the third. Handlers of your own may add points:
 * `CRASH_SIGNAL=SIGSTOP` freezes it there instead, with whatever locks it holds. Any name will do; docs/crash-kit.md shows how to walk them.
 */
export const crashPoints = {
  /** In the life of every attempt, in order. `after-call`: the vendor has answered, and nobody has written it down. */
  attempt: [
    'after-claim',
    'before-handle',
    'after-call',
    'after-handle',
    'before-settle',
    'in-settle',
    'after-settle',
  ],
  place: [
    'place-token-used',
    'place-after-t1',
    'place-after-pay',
    'place-before-t2',
    'place-after-t2',
    'place-before-answer',
  ],
  cancel: ['cancel-in-t1', 'cancel-after-t1', 'cancel-before-answer'],
  fulfil: ['in-fulfilment'],
  /** Within the transaction of a complaint's step, and behind it. */
  complain: ['in-complaint', 'after-complaint'],
  review: ['in-review', 'after-review'],
  /** After each statement of a migration. */
  migrate: ['in-migration'],
  prune: ['in-prune'],
  /** Within the transaction of what a person does by hand. */
  byHand: ['in-requeue', 'in-discard', 'in-settle-by-hand', 'in-repair', 'in-batch-item'],
} as const;

const [wanted, nth = '1'] = (process.env.CRASH_AT ?? '').split(':');
let passages = 0;

export function crashPoint(name: string): void {
  if (wanted !== name) return;
  passages += 1;
  if (passages === Number(nth))
    process.kill(process.pid, process.env.CRASH_SIGNAL === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL');
}
