import { describe, expect, it } from 'vitest';
import {
  Breaker,
  type BreakerState,
  CALLS_MIN,
  CANARY_MAX_MS,
  OPENS_AFTER,
  WINDOW_MS,
} from '../../src/outbox/breaker.js';

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
  it('opens after five attempts in a row that did not reach the vendor, not before', () => {
    const { breaker, times } = arrange();
    times(OPENS_AFTER - 1, () => breaker.learn(['not-reached']));
    expect([breaker.view.state, breaker.freeSlots(10, 0)]).toEqual(['closed', 10]);
    breaker.learn(['answered']);
    times(OPENS_AFTER - 1, () => breaker.learn(['not-reached']));
    expect(breaker.view.state).toBe('closed');
    breaker.learn(['not-reached']);
    expect([breaker.view.state, breaker.freeSlots(10, 0), breaker.opensInMs]).toEqual(['open', 0, 5_000]);
    expect(breaker.view.since).not.toBeNull();
  });

  it('lets one canary through after the pause; a canary that fails doubles the pause up to a minute', () => {
    const { breaker, times, pass } = arrange();
    times(OPENS_AFTER, () => breaker.learn(['not-reached']));
    const pauses: (number | null)[] = [];
    for (let i = 0; i < 6; i++) {
      pass(breaker.opensInMs ?? 0);
      expect([breaker.freeSlots(10, 0), breaker.freeSlots(10, 1)]).toEqual([1, 0]);
      breaker.learn(['not-reached']);
      pauses.push(breaker.opensInMs);
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('closes when the canary gets an answer, and the flow ramps up', () => {
    const { breaker, seen, times, pass } = arrange();
    times(OPENS_AFTER, () => breaker.learn(['not-reached']));
    pass(5_000);
    breaker.freeSlots(10, 0);
    breaker.learn(['answered']);
    const slots: number[] = [];
    for (let i = 0; i < 5; i++) {
      slots.push(breaker.freeSlots(10, 0));
      breaker.learn(['answered']);
    }
    expect(slots).toEqual([1, 2, 4, 8, 10]);
    expect(seen).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens when all calls get a 5xx or no answer', () => {
    const { breaker, times } = arrange();
    times(CALLS_MIN - 1, () => breaker.learn(['silent']));
    expect(breaker.view.state).toBe('closed');
    breaker.learn(['silent']);
    expect([breaker.view.state, breaker.opensInMs]).toEqual(['open', 5_000]);
  });

  it('stays closed when a single kind of call always fails while the vendor answers others', () => {
    const { breaker, times } = arrange();
    times(100, () => breaker.learn(['silent', 'silent', 'silent', 'answered'])); // a refund: three tries, and the question after them
    times(100, () => breaker.learn(['silent', 'answered'])); // a placement, and the day list
    expect(breaker.view.state).toBe('closed');
  });

  it('counts only the calls of the last minute', () => {
    const { breaker, times, pass } = arrange();
    times(CALLS_MIN - 1, () => breaker.learn(['silent']));
    pass(WINDOW_MS);
    breaker.learn(['silent']);
    expect(breaker.view.state).toBe('closed');
  });

  it('an unanswered canary opens it again; an answered canary closes it', () => {
    const { breaker, times, pass } = arrange();
    times(CALLS_MIN, () => breaker.learn(['silent']));
    pass(5_000);
    expect(breaker.freeSlots(10, 0)).toBe(1);
    breaker.learn(['silent']);
    expect([breaker.view.state, breaker.opensInMs]).toEqual(['open', 10_000]);
    breaker.learn(['silent']); // an attempt that was under way before does not postpone the canary
    expect(breaker.opensInMs).toBe(10_000);
    pass(10_000);
    breaker.freeSlots(10, 0);
    breaker.learn(['silent', 'answered']);
    breaker.learn(['silent']);
    expect(breaker.view.state).toBe('closed');
  });

  it('a canary that hangs, or was lost, does not keep the next canary away for ever', () => {
    const { breaker, times, pass } = arrange();
    times(CALLS_MIN, () => breaker.learn(['silent']));
    pass(5_000);
    expect([breaker.freeSlots(10, 0), breaker.freeSlots(10, 1)]).toEqual([1, 0]);
    pass(CANARY_MAX_MS);
    expect([breaker.freeSlots(10, 1), breaker.freeSlots(10, 2)]).toEqual([1, 0]);
  });
});
