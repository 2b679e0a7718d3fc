import { z } from 'zod';
import type { EventDefinition, EventHandler } from '../../src/outbox/types.js';

/** An event whose handler kills its process, every time. */
export const POISON = 'SIM_POISON';

/** A worker that has just claimed it may also die by chance. */
export const POISON_ATTEMPTS_MAX = 30;

type Payload = { seed: number };

export const poison: EventDefinition<Payload> = {
  type: POISON,
  target: 'poison',
  version: 1,
  schema: z.strictObject({ seed: z.number() }),
  example: { seed: 1 },
  dedupeKey: ({ seed }) => String(seed),
  orderingKey: () => null,
};

/** Whoever carries it out dies of it. */
export const createPoison = (die: () => void): EventHandler<Payload> => ({
  definition: poison,
  limits: { deadlineMs: 3_600_000, maxSnoozeMs: 60_000 },
  handle: () => {
    die();
    return new Promise(() => {});
  },
  refuseDiscard: async () => null,
});
