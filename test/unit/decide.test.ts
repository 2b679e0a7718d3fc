import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKOFF_CAP, backoff } from '../../src/outbox/backoff.js';
import { causeOf } from '../../src/outbox/cause.js';
import { decide, type Situation } from '../../src/outbox/decide.js';
import type { AttemptOutcome } from '../../src/outbox/types.js';

const situation: Situation = {
  failures: 0,
  interruptions: 0,
  snoozedForMs: null,
  vainQuestions: 0,
  vainForMs: null,
  deadlineInMs: null,
  inDoubt: false,
  failuresMax: 3,
  retryDelayMs: 15_000,
  maxSnoozeMs: 60_000,
  random: 0.5,
};
const HOUR_MS = 3_600_000;
const retry: AttemptOutcome = { kind: 'retry', failure: { outcome: 'not-applied', code: 'E', message: '' } };
const giveUp: AttemptOutcome = { kind: 'give-up', failure: { outcome: 'rejected', code: 'E', message: '' } };
const snooze: AttemptOutcome = { kind: 'snooze', afterMs: 5_000, outcome: null, reason: 'r' };
const done: AttemptOutcome = { kind: 'done', outcome: 'applied' };
const inVain: AttemptOutcome = {
  kind: 'ask-again',
  failure: { outcome: 'unknown', code: 'HTTP_500', message: '', sentNothing: true },
};
const processing: AttemptOutcome = {
  kind: 'snooze',
  afterMs: 5_000,
  outcome: 'unknown',
  reason: 'processing',
  sentNothing: true,
  isQuestion: true,
};
const interrupted: AttemptOutcome = { kind: 'interrupted', reason: 'r', sent: false };

describe('decide', () => {
  it.each<[string, AttemptOutcome, Partial<Situation>, object]>([
    ['done → handled', done, {}, { status: 'handled', runInMs: null, failures: 0 }],
    [
      'the first failure waits the first delay',
      retry,
      {},
      { status: 'pending', runInMs: 15_000, failures: 1 },
    ],
    [
      'the second failure waits twice that',
      retry,
      { failures: 1 },
      { status: 'pending', runInMs: 30_000, failures: 2 },
    ],
    [
      'the third failure → errored',
      retry,
      { failures: 2 },
      { status: 'errored', runInMs: null, failures: 3 },
    ],
    [
      'a limit of one: the first failure → errored',
      retry,
      { failuresMax: 1 },
      { status: 'errored', failures: 1 },
    ],
    ['give up → errored at once', giveUp, {}, { status: 'errored', failures: 1 }],
    [
      'a snooze counts nothing',
      snooze,
      { failures: 2 },
      { status: 'pending', runInMs: 5_000, failures: 2, snoozing: true },
    ],
    [
      'a snooze past its end is a failure',
      snooze,
      { snoozedForMs: 60_001 },
      { status: 'pending', failures: 1, snoozing: false },
    ],
    [
      'a snooze past its end can be the third failure',
      snooze,
      { snoozedForMs: 60_001, failures: 2 },
      { status: 'errored', failures: 3 },
    ],
    [
      'an orderly interruption comes back at once and counts nothing',
      interrupted,
      { failures: 2 },
      { status: 'pending', runInMs: 0, failures: 2, interruptions: 0 },
    ],
    [
      'a question in vain counts no failure',
      inVain,
      { failures: 2 },
      { status: 'pending', runInMs: 15_000, failures: 2, vainQuestions: 1 },
    ],
    [
      'the next one waits twice as long',
      inVain,
      { vainQuestions: 1 },
      { status: 'pending', runInMs: 30_000, failures: 0, vainQuestions: 2 },
    ],
    [
      'the hundredth waits ten times as long',
      inVain,
      { vainQuestions: 99, vainForMs: HOUR_MS },
      { status: 'pending', runInMs: 150_000, vainQuestions: 100 },
    ],
    [
      'a vendor that limits our rate says when',
      { ...inVain, afterMs: 40_000 } as AttemptOutcome,
      {},
      { status: 'pending', runInMs: 40_000, vainQuestions: 1 },
    ],
    [
      'a question is asked again at the deadline, not beyond',
      inVain,
      { vainQuestions: 9, deadlineInMs: 4_000 },
      { status: 'pending', runInMs: 4_000 },
    ],
    [
      'past its deadline → errored, still unknown',
      inVain,
      { vainQuestions: 9, deadlineInMs: 0 },
      { status: 'errored', outcome: 'unknown', failures: 0, vainQuestions: 0 },
    ],
    [
      'without a deadline it asks for 24 hours',
      inVain,
      { vainQuestions: 600, vainForMs: 24 * HOUR_MS - 1_000 },
      { status: 'pending', runInMs: 1_000 },
    ],
    [
      'and no longer',
      inVain,
      { vainQuestions: 600, vainForMs: 24 * HOUR_MS },
      { status: 'errored', failures: 0, vainQuestions: 0 },
    ],
    ['a usable answer ends the row', snooze, { vainQuestions: 2, vainForMs: 1 }, { vainQuestions: 0 }],
    [
      'a failure ends the row, too',
      retry,
      { vainQuestions: 2, vainForMs: 1 },
      { vainQuestions: 0, failures: 1 },
    ],
    [
      'an interruption leaves the row as it is',
      interrupted,
      { vainQuestions: 2, vainForMs: 1 },
      { vainQuestions: 2 },
    ],
    [
      'a question that hears PROCESSING for too long is no failure',
      processing,
      { snoozedForMs: 60_001 },
      { status: 'pending', failures: 0, vainQuestions: 1, snoozing: true },
    ],
    [
      'what an earlier attempt may have done stays unknown',
      interrupted,
      { inDoubt: true, interruptions: 3 },
      { status: 'errored', outcome: 'unknown' },
    ],
    [
      'handed back in doubt it stays unknown',
      interrupted,
      { inDoubt: true },
      { status: 'pending', outcome: 'unknown', newDoubt: false },
    ],
    [
      'an interruption after three silent ones → errored',
      interrupted,
      { interruptions: 3 },
      { status: 'errored', failures: 0 },
    ],
    ['an ended attempt ends a row of interruptions', retry, { interruptions: 2 }, { interruptions: 0 }],
  ])('%s', (_what, outcome, more, expected) => {
    expect(decide(outcome, { ...situation, ...more })).toMatchObject(expected);
  });

  it('an attempt that only asked renews no doubt', () => {
    const asked: AttemptOutcome = {
      kind: 'retry',
      failure: { outcome: 'unknown', code: 'E', message: '', sentNothing: true },
    };
    expect(decide(asked, situation).newDoubt).toBe(false);
    expect(
      decide({ kind: 'retry', failure: { outcome: 'unknown', code: 'E', message: '' } }, situation).newDoubt,
    ).toBe(true);
    expect(decide(retry, situation).newDoubt).toBe(false);
  });

  it('failures only grow, and an event is errored at its limit, never before', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(done, retry, snooze, inVain, processing, interrupted),
        fc.nat(5),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(2),
        (outcome, failures, failuresMax, interruptions) => {
          fc.pre(failures < failuresMax);
          const transition = decide(outcome, { ...situation, failures, failuresMax, interruptions });
          expect(transition.failures).toBeGreaterThanOrEqual(failures);
          expect(transition.failures).toBeLessThanOrEqual(failures + 1);
          expect(transition.status === 'errored').toBe(transition.failures >= failuresMax);
          expect(transition.runInMs === null).toBe(transition.status !== 'pending');
        },
      ),
    );
  });
});

describe('backoff', () => {
  it.each([
    [1, 0.5, 15_000],
    [1, 0, 15_000],
    [2, 0.5, 30_000],
    [2, 0, 24_000],
    [2, 1, 36_000],
    [3, 0.5, 60_000],
    [4, 0.5, 120_000],
    [5, 0.5, 150_000],
    [50, 0.5, 150_000],
  ])('after %d failures with jitter %d: %d ms', (failures, random, ms) =>
    expect(backoff(failures, 15_000, random)).toBe(ms),
  );

  it('is never longer than ten times the first delay', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, first, random) => backoff(failures, first, random) <= first * BACKOFF_CAP,
      ),
    );
  });
});

describe('causeOf', () => {
  it('100 messages that differ in ids, numbers and times are one cause', () => {
    const causes = Array.from({ length: 100 }, (_, i) =>
      causeOf('T', {
        outcome: 'unknown',
        code: 'C',
        message: `order 2026112300000${i} failed after ${i} ms (7de347de44aa${i}) b1a37288-4b4f-4bb9-ab6b-4cc612f5331${i % 10}`,
      }),
    );
    expect(new Set(causes).size).toBe(1);
    expect(causeOf('T', { outcome: 'unknown', code: 'D', message: '' })).not.toBe(
      causeOf('T', { outcome: 'unknown', code: 'C', message: '' }),
    );
    expect(
      Array.from(causeOf('T', { outcome: 'unknown', code: 'C', message: '𠮷'.repeat(500) })).length,
    ).toBeLessThanOrEqual(191);
  });
});
