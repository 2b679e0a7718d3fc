import { expect, it } from 'vitest';
import { mechanisms } from './mechanisms.js';
import { simulate } from './simulate.js';
import { stepsOf } from './steps.js';

/** The short form of `npm run sim`. */
it('thirty seeds of chaos leave no violation', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const result = await simulate(seed);
    expect([seed, result.violations]).toEqual([seed, []]);
  }
}, 300_000);

it.each([
  ['meican', 'cannot be reached', { kind: 'refuse-connection' }],
  ['meican', 'answers 503 to everything', { kind: 'status-before', status: 503 }],
  ['meican', 'answers nothing to everything', { kind: 'hang-before' }],
  ['energy', 'answers 503 to everything', { kind: 'status-before', status: 503 }],
] as const)(
  '%s %s for ten minutes, before the cut-off: no order is lost, and no event errored',
  async (vendor, _how, fault) => {
    let orders = 0;
    for (let seed = 1; seed <= 6; seed++) {
      // Nobody dies, nobody presses anything and no lease runs out: an outage alone.
      const steps = stepsOf(seed).filter(
        ({ op, r }) => op !== 'kill' && op !== 'press' && op !== 'till' && (op !== 'advance' || r >= 0.3),
      );
      const result = await simulate(seed, {
        outage: { vendors: [vendor], ms: 600_000, fault },
        steps,
        diners: seed === 1 ? 1 : 6,
      });
      expect([seed, result.violations]).toEqual([seed, []]);
      expect(result.orders).not.toContain('ORDER_ERROR');
      expect(result.errored).toEqual([]);
      orders += result.orders.filter((status) => status === 'ORDERED').length;
    }
    if (vendor === 'meican') expect(orders).toBeGreaterThan(5);
  },
  60_000,
);

it('a seed is replayed step by step', async () => {
  const [first, second] = [await simulate(7), await simulate(7)];
  expect(second).toEqual(first);
});

it.each(Object.keys(mechanisms))(
  'finds a violation within a hundred seeds without: %s',
  async (name) => {
    const without = mechanisms[name] ?? {};
    const from = without.testedFrom ?? 1;
    for (let seed = from; seed < from + 100; seed++)
      if ((await simulate(seed, { without })).violations.length > 0) return;
    expect.unreachable(`a hundred seeds passed without ${name}`);
  },
  120_000,
);
