import { Problem } from '../base/problems.js';
import type { Database, Tx } from '../database/database.js';
import { duplicateOf, isUnavailable } from '../database/errors.js';
import { instant } from '../database/instants.js';
import { insertRow } from '../database/rows.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import type { Outbox } from '../outbox/outbox.js';
import { readEventOf, recordEventOf, viewOf } from './handed-in.js';
import type { EventView } from './view.js';

export interface ConsumptionInput {
  readonly recordNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly canteen: string;
  readonly consumedAt: Date;
}

export interface ConsumptionDependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly inlineBudgetMs: number;
}

/** One request on its way. */
interface Recording extends ConsumptionDependencies {
  readonly input: ConsumptionInput;
  readonly requestId: string;
  readonly traceparent: string | null;
}

interface Body {
  readonly recordNo: string;
  readonly status: CanteenConsumption['status'];
  readonly events: EventView[];
}

/**
 * Writes a canteen consumption and syncs it to the energy center, now or by its event. `isNew` false: it was
 * known, with the same content. Throws Problem.
 */
export async function recordConsumption(
  dependencies: ConsumptionDependencies,
  input: ConsumptionInput,
  requestId: string,
  traceparent: string | null,
): Promise<{ isNew: boolean; body: Body }> {
  const { outbox, inlineBudgetMs } = dependencies;
  const recording = { ...dependencies, input, requestId, traceparent };
  const written = await write(recording);
  const isNew = written !== null;
  try {
    if (isNew) await outbox.runInline([consumptionSync.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
    return { isNew, body: await readBody(recording) };
  } catch (error) {
    if (!written || !isUnavailable(error)) throw error;
    return { isNew, body: written }; // it is written, and its sync goes on by itself
  }
}

/** T1. Null: the record was known. */
async function write(recording: Recording): Promise<Body | null> {
  const { database, input } = recording;
  if (await database.manager.existsBy(CanteenConsumption, { recordNo: input.recordNo })) return null;
  try {
    return await database.transaction((tx) => insert(tx, recording));
  } catch (error) {
    if (duplicateOf(error)) return null;
    throw error;
  }
}

async function insert(tx: Tx, { outbox, input, requestId, traceparent }: Recording): Promise<Body> {
  const { recordNo, userId, amountInCent, canteen, consumedAt } = input;
  const rowId = await insertRow(tx, CanteenConsumption, {
    recordNo,
    userId,
    amountInCent,
    canteen,
    consumedAt,
    status: 'PENDING',
    eventId: '',
    createdAt: instant(tx),
    updatedAt: instant(tx),
  });
  const row = { entity: CanteenConsumption, rowId, number: recordNo, requestId, traceparent };
  const event = await recordEventOf(tx, row, consumptionSync, payloadOf(input));
  return { recordNo, status: 'PENDING', events: [viewOf(outbox, event)] };
}

async function readBody({ database, outbox, input }: Recording): Promise<Body> {
  const row = await database.manager.findOneByOrFail(CanteenConsumption, { recordNo: input.recordNo });
  if (!isSame(row, input))
    throw new Problem('conflict', { detail: 'this record number was used with another content' });
  return { recordNo: row.recordNo, status: row.status, events: await readEventOf(database, outbox, row) };
}

function payloadOf(input: ConsumptionInput) {
  return { ...input, consumedAt: input.consumedAt.toISOString() };
}

function isSame(row: CanteenConsumption, input: ConsumptionInput): boolean {
  return (
    row.userId === input.userId &&
    row.amountInCent === input.amountInCent &&
    row.canteen === input.canteen &&
    row.consumedAt.getTime() === input.consumedAt.getTime()
  );
}
