import { z } from 'zod';
import type { Database } from '../../src/database/database.js';
import { now, sql } from '../../src/database/sql.js';
import { Outbox, type OutboxOptions } from '../../src/outbox/outbox.js';
import { type RecordOptions, record } from '../../src/outbox/record.js';
import type { SettleHooks } from '../../src/outbox/settle.js';
import type {
  ClaimedEvent,
  EventDefinition,
  EventHandler,
  HandlerContext,
  HandlerOutcome,
} from '../../src/outbox/types.js';

/** An event type that knows nothing of meals: `n` tells events apart, `key` orders them. */
const payload = z.strictObject({ n: z.number().int(), key: z.string().optional() });
export type Note = z.infer<typeof payload>;
export const note: EventDefinition<Note> = {
  type: 'NOTE',
  target: 'test',
  version: 1,
  schema: payload,
  example: { n: 1 },
  dedupeKey: ({ n }) => String(n),
  orderingKey: ({ key }) => key ?? null,
};

type Handle = (event: ClaimedEvent<Note>, context: HandlerContext) => Promise<HandlerOutcome>;
export const done: HandlerOutcome = { kind: 'done', outcome: 'applied' };
export const inVain: HandlerOutcome = {
  kind: 'ask-again',
  failure: { outcome: 'unknown', code: 'HTTP_500', message: 'no answer', sentNothing: true },
};
export const failed: HandlerOutcome = {
  kind: 'retry',
  failure: { outcome: 'not-applied', code: 'E', message: 'not today' },
};

export function handlerOf(handle: Handle, more: Partial<EventHandler<Note>> = {}): EventHandler<Note> {
  return {
    definition: note,
    limits: { deadlineMs: 5_000, maxSnoozeMs: 60_000 },
    handle,
    refuseDiscard: async () => null,
    ...more,
  };
}

const options: OutboxOptions = {
  leaseMs: 10_000,
  failuresMax: 3,
  retryDelayMs: 60_000,
  batchSize: 10,
  concurrencyPerTarget: 10,
};

export function outboxOf(
  database: Database,
  handle: Handle | EventHandler<Note>,
  more: Partial<OutboxOptions> = {},
  hooks: SettleHooks = {},
): Outbox {
  const handler = typeof handle === 'function' ? handlerOf(handle) : handle;
  return new Outbox(database, [handler as unknown as EventHandler<never>], { ...options, ...more }, hooks);
}

export async function recordNote(database: Database, value: Note, more: RecordOptions = {}): Promise<string> {
  return (await database.transaction((tx) => record(tx, note, value, more))).id;
}

/** Claims and runs until nothing is due. */
export async function runDue(outbox: Outbox): Promise<void> {
  for (;;) {
    const claimed = await outbox.claimAndStart();
    if (claimed !== 'no-slot' && claimed.rows.length === 0 && outbox.runningCount === 0) return;
    await outbox.oneEnded();
  }
}

export async function makeAllDue(database: Database): Promise<void> {
  await database.execute(
    sql`UPDATE outbox_event SET run_at = ${now}, queue_at = ${now} WHERE status = 'pending' AND queue_at IS NOT NULL AND lease_until IS NULL`,
  );
}

/** As if the lease of this event had run out: what its worker left behind when it was killed. */
export async function expireLease(database: Database, id: string): Promise<void> {
  await database.execute(
    sql`UPDATE outbox_event SET lease_until = ${now}, queue_at = ${now} WHERE id = ${id} AND lease_until IS NOT NULL`,
  );
}

export interface EventRow {
  id: string;
  status: string;
  attempt: number;
  failures: number;
  interruptions: number;
  vain_questions: number;
  vain_since: unknown;
  outcome: string | null;
  last_error_code: string | null;
  queue_at: unknown;
  lease_until: unknown;
  unknown_at: unknown;
  run_at: unknown;
}

export async function rowOf(database: Database, id: string): Promise<EventRow> {
  const [row] = await database.query<EventRow>(sql`SELECT * FROM outbox_event WHERE id = ${id}`);
  if (!row) throw new Error(`no event ${id}`);
  return row;
}

export async function attemptsOf(database: Database, id: string) {
  return database.query<{
    number: number;
    outcome: string | null;
    error_code: string | null;
    decision: string | null;
    finished_at: unknown;
    trigger: string;
  }>(sql`SELECT * FROM event_attempt WHERE event_id = ${id} ORDER BY number`);
}
