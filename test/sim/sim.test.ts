import { expect, it } from 'vitest';
import { mechanisms } from './mechanisms.js';
import { simulate } from './simulate.js';

/** The short form of `npm run sim`. */
it('a hundred seeds of chaos leave no violation', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const result = await simulate(seed);
    expect([seed, result.violations]).toEqual([seed, []]);
  }
}, 120_000);

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
