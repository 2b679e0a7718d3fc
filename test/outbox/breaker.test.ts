import { describe, expect, it } from 'vitest';
import { Breaker, type BreakerState, OPENS_AFTER } from '../../src/outbox/breaker.js';

function arrange() {
  let nowMs = 0;
  const seen: BreakerState[] = [];
  const breaker = new Breaker(
    'v',
    ({ state }) => seen.push(state),
    () => nowMs,
  );
  const times = (count: number, deed: () => void): void => {
    for (let i = 0; i < count; i++) deed();
  };
  return { breaker, seen, times, pass: (ms: number) => (nowMs += ms) };
}

describe('the breaker of a vendor', () => {
  it('opens after five attempts in a row that did not reach it, not before', () => {
    const { breaker, times } = arrange();
    times(OPENS_AFTER - 1, () => breaker.notReached());
    expect([breaker.view.state, breaker.freeSlots(10, 0)]).toEqual(['closed', 10]);
    breaker.reached();
    times(OPENS_AFTER - 1, () => breaker.notReached());
    expect(breaker.view.state).toBe('closed');
    breaker.notReached();
    expect([breaker.view.state, breaker.freeSlots(10, 0), breaker.opensInMs]).toEqual(['open', 0, 5_000]);
    expect(breaker.view.since).not.toBeNull();
  });

  it('lets one canary through after the pause; a canary that fails doubles the pause up to a minute', () => {
    const { breaker, times, pass } = arrange();
    times(OPENS_AFTER, () => breaker.notReached());
    const pauses: (number | null)[] = [];
    for (let i = 0; i < 6; i++) {
      pass(breaker.opensInMs ?? 0);
      expect([breaker.freeSlots(10, 0), breaker.freeSlots(10, 1)]).toEqual([1, 0]);
      breaker.notReached();
      pauses.push(breaker.opensInMs);
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('closes when the canary gets an answer, and the flow ramps up', () => {
    const { breaker, seen, times, pass } = arrange();
    times(OPENS_AFTER, () => breaker.notReached());
    pass(5_000);
    breaker.freeSlots(10, 0);
    breaker.reached();
    const slots: number[] = [];
    for (let i = 0; i < 5; i++) {
      slots.push(breaker.freeSlots(10, 0));
      breaker.reached();
    }
    expect(slots).toEqual([1, 2, 4, 8, 10]);
    expect(seen).toEqual(['open', 'half-open', 'closed']);
  });
});
