import { everyFault, isQuestion } from '../vendors/every-fault.js';
import type { Call, Fault } from '../vendors/fault.js';

/** The calls of an order's story. */
const STORY_CALLS: readonly Call[] = [
  'meican.add',
  'meican.list',
  'meican.delete',
  'energy.pay',
  'energy.queryPay',
  'energy.close',
  'energy.unpay',
  'energy.queryRefund',
];

/** Shorter than the time-outs and the settle window of the shop. */
const DURATIONS = {
  latencyMs: 40,
  lateMs: 300,
  processingMs: 500,
  lagMs: 900,
  retryAfterS: 1,
  oversizeBytes: 3_000_000,
};

/** A refused connection is a closed listener, which no single call can have: see the windows. */
export const SINGLES: readonly Fault[] = STORY_CALLS.flatMap((call) =>
  everyFault(call, DURATIONS).filter(({ kind }) => kind !== 'refuse-connection'),
);

/** These calls happen only after a doubt: a story of their fault alone begins with one. */
const DOUBTS: Partial<Record<Call, Fault>> = {
  'meican.list': { call: 'meican.add', kind: 'reset-after' },
  'energy.queryPay': { call: 'energy.pay', kind: 'reset-after' },
  'energy.close': { call: 'energy.pay', kind: 'reset-after' },
  'energy.queryRefund': { call: 'energy.unpay', kind: 'reset-after' },
};

export function alone(fault: Fault): Fault[] {
  const doubt = DOUBTS[fault.call];
  return doubt ? [doubt, fault] : [fault];
}

/** A question that fails again and again changes nothing, and is nobody's failure. More often than an event may fail. */
export const STUBBORN: readonly (readonly Fault[])[] = SINGLES.filter(
  ({ call, kind }) =>
    isQuestion(call) &&
    ['hang-before', 'reset-before', 'status-before', 'malformed-after', 'refused'].includes(kind),
).map((fault) => [...alone(fault), fault, fault, fault]);

/** The fault in words, without its call. */
export function wordsOf(fault: Fault): string {
  switch (fault.kind) {
    case 'status-before':
    case 'status-after':
      return `${fault.kind} ${fault.status}`;
    case 'malformed-after':
    case 'rate-limit':
      return `${fault.kind} ${fault.form}`;
    case 'refused':
      return `${fault.kind} ${fault.code}`;
    case 'multi':
      return `${fault.kind} ${fault.id} id`;
    case 'processing':
      return `${fault.kind} → ${fault.to}${fault.queryLagMs > 0 ? ', the query lags' : ''}`;
    default:
      return fault.kind;
  }
}

/** The same sample in every run, spread over all pairs. */
export const isSampled = (n: number, share: number): boolean => shuffle(n) < share * 2 ** 32;

/** A place for the n-th pair by which neighbours come to lie far apart: what a run has told when it is interrupted is a fair sample. */
export const shuffle = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 0;

export const nameOf = (faults: readonly Fault[]): string =>
  faults.map((fault) => `${fault.call} ${wordsOf(fault)}`).join(' + ');

/**
 * Both calls of a pair are different ones; which of them comes first is the story's business. A question is only asked in doubt: where neither fault of the pair
 * is on the call that it asks about, that call's answer is lost beforehand.
 */
export const PAIRS: readonly (readonly Fault[])[] = SINGLES.flatMap((one, i) =>
  SINGLES.slice(i + 1)
    .filter((other) => other.call !== one.call)
    .map((other) => withDoubts([one, other])),
);

function withDoubts(pair: readonly Fault[]): Fault[] {
  const doubts = pair
    .flatMap(({ call }) => DOUBTS[call] ?? [])
    .filter((doubt, i, all) => all.findIndex(({ call }) => call === doubt.call) === i);
  return [...doubts.filter((doubt) => pair.every(({ call }) => call !== doubt.call)), ...pair];
}
