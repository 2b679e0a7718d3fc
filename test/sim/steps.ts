import { mulberry32 } from './chance.js';

/**
 * One step of a simulated day. `r` in [0, 1) decides whatever is left open: who, which, how long.
 * turn      whoever waits for the database or a vendor goes on, one of them
 * act       a diner sends a request: the first one, a repeat, or a cancel
 * till      the gateway sends a coffee refund or a canteen consumption
 * poll      a scheduler looks for due events
 * advance   time passes
 * kill      a process dies and another one takes its place
 * press     a person on call presses a button, whatever the state of what it is about
 * compare   the recurring comparison of the books falls due at all schedulers
 */
const ops = ['turn', 'act', 'till', 'poll', 'advance', 'kill', 'press', 'compare'] as const;

export interface Step {
  readonly op: (typeof ops)[number];
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
    ['press', 0.015],
    ['till', 0.01],
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
