import { describe, expect, it } from 'vitest';
import { Bench } from './bench.js';
import { type Durations, everyFault, isQuestion } from './every-fault.js';
import { CALLS, type Fault, type FaultKind } from './fault.js';
import { FaultPlan } from './plan.js';

const DURATIONS: Durations = {
  latencyMs: 900,
  lateMs: 4_000,
  processingMs: 3_000,
  lagMs: 2_000,
  retryAfterS: 1,
  oversizeBytes: 1_000,
};

/** What each kind of fault does to the effect and to the answer, by the contract's table. */
const EFFECT: Partial<Record<FaultKind['kind'], boolean>> = {
  latency: true,
  'hang-before': false,
  'hang-after': true,
  'reset-before': false,
  'reset-after': true,
  'status-before': false,
  'status-after': true,
  'malformed-after': true,
  'late-effect': false,
  'lost-effect': false,
  refused: false,
  'rate-limit': false,
  skew: false,
  drip: true,
  'idle-close': false,
  'refuse-connection': false,
  oversize: true,
  processing: false,
  failed: false,
};

const faultsOf = (call: Fault['call']) =>
  everyFault(call, DURATIONS).map((fault) => [JSON.stringify(fault), fault] as const);

describe('a fault', () => {
  it.each(faultsOf('energy.pay'))('%s takes effect as its row says', (_, fault) => {
    const bench = new Bench();
    bench.pay('1', 2300, fault);
    expect(bench.energy.books.accounts.get('alice')?.balance ?? 10_000).toBe(
      EFFECT[fault.kind] ? 7_700 : 10_000,
    );
  });

  it.each(faultsOf('meican.add').filter(([, { kind }]) => kind !== 'multi'))(
    '%s takes effect as its row says',
    (_, fault) => {
      const bench = new Bench();
      bench.add('a@x.cn', fault);
      expect(bench.meican.books.meals.size).toBe(EFFECT[fault.kind] ? 1 : 0);
    },
  );

  it('of another call is not met', () => {
    const bench = new Bench();
    expect(bench.pay('1', 2300, { call: 'energy.unpay', kind: 'hang-before' })).toMatchObject({
      kind: 'answer',
      status: 200,
    });
  });

  it('is known for every call, questions included', () => {
    for (const call of CALLS) {
      const kinds = new Set(everyFault(call, DURATIONS).map(({ kind }) => kind));
      expect(
        kinds.has('hang-before') && kinds.has('status-before') && kinds.has('malformed-after'),
        call,
      ).toBe(true);
      expect(kinds.has('late-effect'), call).toBe(!isQuestion(call));
    }
  });

  it('spoils the body as its form says', () => {
    const text = (form: Extract<Fault, { kind: 'malformed-after' }>['form']) => {
      const answer = new Bench().pay('1', 2300, { call: 'energy.pay', kind: 'malformed-after', form });
      return answer.kind === 'answer' ? answer.text : '';
    };
    expect(() => JSON.parse(text('truncated'))).toThrow();
    expect(text('html')).toContain('<html>');
    expect(text('empty')).toBe('');
    expect(text('null')).toBe('null');
    expect(JSON.parse(text('null-data'))).toMatchObject({ code: 0, result: null });
    expect(JSON.parse(text('blank-id'))).toMatchObject({ code: 0, result: { tradeNo: '' } });
    expect(JSON.parse(text('wrong-types'))).toMatchObject({ code: 'many', result: { tradeNo: true } });
  });
});

describe('a fault plan', () => {
  const ids = (plan: FaultPlan, n: number) =>
    Array.from({ length: n }, () => plan.take('energy.pay')?.kind ?? '-');

  it('spends its script call by call; null is a call that goes well', () => {
    const { clock } = new Bench();
    const plan = new FaultPlan({ clock, random: () => 0 });
    plan.withChance({ calls: ['energy.pay'], probability: 1, faults: () => [{ kind: 'drip' }] });
    plan.next('energy.pay', { kind: 'hang-before' }, null, { kind: 'reset-after' });
    expect(plan.take('energy.unpay')).toBeUndefined();
    expect(ids(plan, 4)).toEqual(['hang-before', '-', 'reset-after', 'drip']);
    expect(plan.met).toHaveLength(3);
  });

  it('spends nothing while it is held', () => {
    const plan = new FaultPlan({ clock: new Bench().clock, random: () => 0 });
    plan.next('energy.pay', { kind: 'drip' });
    plan.hold(true);
    expect(ids(plan, 2)).toEqual(['-', '-']);
    plan.hold(false);
    expect(ids(plan, 2)).toEqual(['drip', '-']);
  });

  it('holds a window for its time alone', () => {
    const { clock } = new Bench();
    const plan = new FaultPlan({ clock, random: () => 0 });
    plan.for(1_000, 'energy', { kind: 'status-before', status: 503 });
    expect(ids(plan, 2)).toEqual(['status-before', 'status-before']);
    expect(plan.take('meican.add')).toBeUndefined();
    clock.move(1_000);
    expect(ids(plan, 1)).toEqual(['-']);
  });

  it('draws the same faults from the same numbers', () => {
    const run = () => {
      const numbers = [0.1, 0.7, 0.4, 0.9, 0.2, 0.05, 0.6];
      let n = 0;
      const plan = new FaultPlan({
        clock: new Bench().clock,
        random: () => numbers[n++ % numbers.length] ?? 0,
      });
      plan.withChance({ calls: CALLS, probability: 0.5, faults: (call) => everyFault(call, DURATIONS) });
      return ids(plan, 20);
    };
    expect(run()).toEqual(run());
    expect(new Set(run()).size).toBeGreaterThan(2);
  });
});
