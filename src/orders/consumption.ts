import type { Database } from '../database/database.js';
import { duplicateOf } from '../database/errors.js';
import { now, sql } from '../database/sql.js';
import { CanteenConsumption } from '../entities/canteen-consumption.js';
import { OutboxEvent } from '../entities/outbox-event.js';
import { consumptionSync } from '../handlers/consumption-sync.js';
import type { Outbox } from '../outbox/outbox.js';
import { record } from '../outbox/record.js';
import { Problem } from '../problems.js';
import { eventView } from './view.js';

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

/** Keeps a canteen consumption and syncs it to the energy center, now or by event. `isNew` false: it was known, with the same content. */
export async function recordConsumption(
  { database, outbox, inlineBudgetMs }: ConsumptionDependencies,
  input: ConsumptionInput,
  requestId: string,
  traceparent: string | null,
) {
  const isNew = await write(database, input, requestId, traceparent);
  if (isNew) await outbox.runInline([consumptionSync.orderingKey(payloadOf(input)) ?? ''], inlineBudgetMs);
  const row = await database.manager.findOneByOrFail(CanteenConsumption, { recordNo: input.recordNo });
  if (!sameContent(row, input)) throw new Problem('conflict', { detail: 'this record number was used with another content' });
  const event = await database.manager.findOneBy(OutboxEvent, { id: row.eventId });
  const events = event ? [eventView(event, outbox.failuresMax(event.type))] : [];
  return { isNew, body: { recordNo: row.recordNo, status: row.status, events } };
}

async function write(database: Database, input: ConsumptionInput, requestId: string, traceparent: string | null): Promise<boolean> {
  if (await database.manager.existsBy(CanteenConsumption, { recordNo: input.recordNo })) return false;
  try {
    await database.transaction(async (tx) => {
      const { insertId } = await tx.execute(sql`
        INSERT INTO canteen_consumption (record_no, user_id, amount_in_cent, canteen, consumed_at, status, event_id, created_at, updated_at)
        VALUES (${input.recordNo}, ${input.userId}, ${input.amountInCent}, ${input.canteen}, ${input.consumedAt}, 'PENDING', '', ${now}, ${now})`);
      const { id } = await record(tx, consumptionSync, payloadOf(input), { subjectNo: input.recordNo, requestId, traceparent, wake: false });
      await tx.execute(sql`UPDATE canteen_consumption SET event_id = ${id} WHERE id = ${insertId}`);
    });
    return true;
  } catch (error) {
    if (duplicateOf(error)) return false;
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
