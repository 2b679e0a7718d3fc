import type { Database } from '../database/database.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import { energyCancel } from '../handlers/energy-cancel.js';
import { energyRollback } from '../handlers/energy-rollback.js';
import { meicanCancel } from '../handlers/meican-cancel.js';
import { meicanNewOrder } from '../handlers/meican-new-order.js';
import { causeOf } from '../outbox/cause.js';
import { packExchanges } from '../outbox/exchanges.js';
import {
  ATTEMPTS,
  CHUNK,
  type SeededType,
  seedAlert,
  seedOccurrences,
  seedStatements,
} from './statements.js';

export const scales = { small: 2_000, big: 1_000_000 } as const;
export type Scale = keyof typeof scales;

const failing = [
  {
    type: meicanNewOrder.type,
    code: 'DISH_NOT_AVAILABLE',
    message: 'Meican refused: dish 101 is not on the menu',
    outcome: 'rejected',
  },
  {
    type: energyCancel.type,
    code: 'TIMEOUT',
    message: 'no answer to refund R20261123000001',
    outcome: 'unknown',
  },
  {
    type: meicanCancel.type,
    code: 'ORDER_CLOSED',
    message: 'Meican refused: order 33211 is closed',
    outcome: 'rejected',
  },
  {
    type: energyRollback.type,
    code: 'HTTP_500',
    message: 'the energy center answered 500',
    outcome: 'unknown',
  },
  { type: consumptionSync.type, code: '40401', message: 'account 17 is not known', outcome: 'rejected' },
] as const;
const types: readonly SeededType[] = failing.map((one) => ({ ...one, cause: causeOf(one.type, one) }));

export class NotEmpty extends Error {
  override readonly name = 'NotEmpty';
}

/**
 * Fills an empty database with believable stories: events of five types over sixty days, three attempts each,
 * one event in ten errored. A million events take a few minutes. Throws NotEmpty where there are events
 * already.
 */
export async function seed(
  database: Database,
  events: number,
  onProgress: (done: number, of: number) => void,
): Promise<void> {
  if (await database.manager.exists(OutboxEvent))
    throw new NotEmpty('there are events already: seed an empty database');
  const statements = seedStatements(database.dialect, types, events, exchange());
  for (let from = 0; from < events; from += CHUNK) {
    await database.execute(statements.orders(from));
    await database.execute(statements.events(from));
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
      await database.execute(statements.attempts(from, attempt));
    onProgress(Math.min(events, from + CHUNK), events);
  }
  for (const type of types) {
    const { insertId } = await database.execute(seedAlert(type));
    await database.execute(seedOccurrences(insertId, type.cause));
  }
}

/** A call to a vendor that never happened, as the journal of an attempt keeps one. */
function exchange(): string | null {
  return packExchanges([
    {
      call: 'vendor.call',
      at: new Date(0).toISOString(),
      durationMs: 120,
      request: {
        method: 'POST',
        path: '/seeded',
        headers: { 'content-type': 'application/json' },
        body: '{"seeded":true,"note":"a story that never happened"}',
      },
      answer: { status: 500, headers: { 'content-type': 'application/json' }, body: '{"code":"SEEDED"}' },
      outcome: 'unknown',
      code: 'SEEDED',
    },
  ]);
}
