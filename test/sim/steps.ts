import { mulberry32 } from '../../src/sandbox/faults.js';

/**
 * One step of a simulated day. `r` in [0, 1) decides whatever is left open: who, which, how long.
 * turn      whoever waits for the database or a vendor goes on, one of them
 * act       a diner sends a request: the first one, a repeat, or a cancel
 * poll      a scheduler looks for due events
 * advance   time passes
 * kill      a process dies and another one takes its place
 * requeue   somebody on call presses "requeue" on some event, whatever its state
 * compare   the recurring comparison of the books falls due at all schedulers
 */
export interface Step {
  readonly op: 'turn' | 'act' | 'poll' | 'advance' | 'kill' | 'requeue' | 'compare';
  readonly r: number;
}

const STEPS = 900;

export function stepsOf(seed: number): Step[] {
  const random = mulberry32(seed);
  // Some worlds die often, some hardly ever.
  const deaths = [0, 0.004, 0.012][Math.floor(seed / 3) % 3] ?? 0;
  const shares: [Step['op'], number][] = [
    ['act', 0.06],
    ['poll', 0.06],
    ['advance', 0.03],
    ['requeue', 0.004],
    ['compare', 0.002],
    ['kill', deaths],
  ];
  return Array.from({ length: STEPS }, () => {
    let dice = random();
    const op = shares.find(([, share]) => {
      dice -= share;
      return dice < 0;
    })?.[0];
    return { op: op ?? 'turn', r: random() };
  });
}
