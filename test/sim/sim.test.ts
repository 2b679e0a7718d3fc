import { expect, it } from 'vitest';
import { mechanisms } from './mechanisms.js';
import { simulate } from './simulate.js';
import { stepsOf } from './steps.js';

/** The short form of `npm run sim`. */
it('a hundred seeds of chaos leave no violation', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const result = await simulate(seed);
    expect([seed, result.violations]).toEqual([seed, []]);
  }
}, 120_000);

it('an outage of Meican for ten minutes, before the cut-off, loses no order', async () => {
  let orders = 0;
  for (let seed = 1; seed <= 30; seed++) {
    // Nobody dies and no lease runs out: an outage alone.
    const steps = stepsOf(seed).filter(({ op, r }) => op !== 'kill' && (op !== 'advance' || r >= 0.3));
    const result = await simulate(seed, { outageMs: 600_000, steps });
    expect([seed, result.violations]).toEqual([seed, []]);
    expect(result.orders).not.toContain('ORDER_ERROR');
    orders += result.orders.filter((status) => status === 'ORDERED').length;
  }
  expect(orders).toBeGreaterThan(30);
}, 60_000);

it('a seed is replayed step by step', async () => {
  const [first, second] = [await simulate(7), await simulate(7)];
  expect(second).toEqual(first);
});

it.each(Object.keys(mechanisms))(
  'finds a violation within a hundred seeds without: %s',
  async (name) => {
    for (let seed = 1; seed <= 100; seed++) if ((await simulate(seed, { without: mechanisms[name] ?? {} })).violations.length > 0) return;
    expect.unreachable(`a hundred seeds passed without ${name}`);
  },
  120_000,
);
