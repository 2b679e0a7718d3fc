import { z } from 'zod';
import type { EventType } from '../../src/handlers/event-type.js';

const payload = z.strictObject({ boxNo: z.string().min(1) });
type Payload = z.infer<typeof payload>;

/** An event type that lunchbox does not have: one file, as CONTRIBUTING.md describes it. */
export const madeUp: EventType<Payload> = {
  type: 'CABINET_OPEN',
  target: 'cabinet',
  version: 1,
  schema: payload,
  example: { boxNo: 'A1-7' },
  dedupeKey: ({ boxNo }) => boxNo,
  orderingKey: ({ boxNo }) => `cabinet:${boxNo}`,
  words: {
    zh: { name: '开柜', does: '打开餐柜的一格。', ifNever: '用户取不到饭。', affects: '这位用户。' },
    en: {
      name: 'Open a box',
      does: 'Opens one box of a cabinet.',
      ifNever: 'The diner cannot take the lunch out.',
      affects: 'This diner.',
    },
  },
  repeatable: true,
  discard: [{ of: 'any', pending: 'refused: the lunch is inside', errored: 'allowed' }],
  alerts: { lossCodes: ['BOX_EMPTY'] },
  createHandler: () => ({
    definition: madeUp,
    limits: { deadlineMs: 1_000, maxSnoozeMs: 60_000 },
    handle: async () => ({ kind: 'done', outcome: 'applied' }),
    refuseDiscard: async (_queryable, { status }) =>
      status === 'pending' ? 'the lunch is inside: let it go on' : null,
  }),
};
