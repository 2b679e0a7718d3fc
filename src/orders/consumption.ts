import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { duplicateOf, isUnavailable } from '../database/errors.js';
import { now, sql } from '../database/sql.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import { type EventView, eventView } from './view.js';

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

interface Body {
  readonly recordNo: string;
  readonly status: CanteenConsumption['status'];
  readonly events: EventView[];
}

/** Keeps a canteen consumption and syncs it to the energy center, now or by event. `isNew` false: it was known, with the same content. */
export async function recordConsumption(
  dependencies: ConsumptionDependencies,
  input: ConsumptionInput,
  requestId: string,
  traceparent: string | null,
): Promise<{ isNew: boolean; body: Body }> {
  const { database, outbox, inlineBudgetMs } = dependencies;
  const kept = await write(dependencies, input, requestId, traceparent);
  const isNew = kept !== null;
  try {
    if (isNew) await outbox.runInline([consumptionSync.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
    const row = await database.manager.findOneByOrFail(CanteenConsumption, { recordNo: input.recordNo });
    if (!sameContent(row, input))
      throw new Problem('conflict', { detail: 'this record number was used with another content' });
    const event = await database.manager.findOneBy(OutboxEvent, { id: row.eventId });
    const events = event ? [eventView(event, outbox.failuresMax(event.type))] : [];
    return { isNew, body: { recordNo: row.recordNo, status: row.status, events } };
  } catch (error) {
    if (!kept || !isUnavailable(error)) throw error;
    return { isNew, body: kept }; // it is kept, and its sync goes on by itself
  }
}

/** Null: the record was known. */
async function write(
  { database, outbox }: ConsumptionDependencies,
  input: ConsumptionInput,
  requestId: string,
  traceparent: string | null,
): Promise<Body | null> {
  if (await database.manager.existsBy(CanteenConsumption, { recordNo: input.recordNo })) return null;
  try {
    return await database.transaction(async (tx) => {
      const { insertId } = await tx.execute(sql`
        INSERT INTO canteen_consumption (record_no, user_id, amount_in_cent, canteen, consumed_at, status, event_id, created_at, updated_at)
        VALUES (${input.recordNo}, ${input.userId}, ${input.amountInCent}, ${input.canteen}, ${input.consumedAt}, 'PENDING', '', ${now}, ${now})`);
      const { id } = await record(tx, consumptionSync, payloadOf(input), {
        subjectNo: input.recordNo,
        requestId,
        traceparent,
        wake: false,
      });
      await tx.execute(sql`UPDATE canteen_consumption SET event_id = ${id} WHERE id = ${insertId}`);
      const event = await tx.manager.findOneByOrFail(OutboxEvent, { id });
      return {
        recordNo: input.recordNo,
        status: 'PENDING',
        events: [eventView(event, outbox.failuresMax(event.type))],
      };
    });
  } catch (error) {
    if (duplicateOf(error)) return null;
    throw error;
  }
}

function payloadOf(input: ConsumptionInput) {
  return { ...input, consumedAt: input.consumedAt.toISOString() };
}

function sameContent(row: CanteenConsumption, input: ConsumptionInput): boolean {
  return (
    row.userId === input.userId &&
    row.amountInCent === input.amountInCent &&
    row.canteen === input.canteen &&
    row.consumedAt.getTime() === input.consumedAt.getTime()
  );
}
