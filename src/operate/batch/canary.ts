import type { Database } from '../../database/database.js';
import type { Batch } from './batch.js';
import { doneLast } from './statements.js';

const SECOND_STAGE = 0.05;
const LAST_LOOKED_AT = 20;
const CANARY_MAX_MS = 5 * 60_000;

type Canary =
  | 'well'
  | 'wait'
  | 'the first one failed again'
  | 'the first one did not end'
  | 'more than half of the last twenty failed again';

/**
 * The first event that was requeued goes alone, then five per cent of the set, then all of it. More than ten failures among the last twenty
 * events end the batch.
 */
export async function canaryOf(database: Database, batch: Batch): Promise<Canary> {
  if (batch.done === 0) return 'well';
  const statement = doneLast(batch.id, CANARY_MAX_MS, LAST_LOOKED_AT);
  const rows = await database.query<{ status: string; late: number | string }>(statement);
  const failed = rows.filter(({ status }) => status === 'errored').length;
  if (batch.done === 1 && failed === 1) return 'the first one failed again';
  if (failed > LAST_LOOKED_AT / 2) return 'more than half of the last twenty failed again';
  const waits = batch.done === 1 || batch.done === Math.ceil(batch.total * SECOND_STAGE);
  const open = rows.filter(({ status }) => status === 'pending');
  if (!waits || open.length === 0) return 'well';
  if (batch.done === 1 && Number(open[0]?.late) === 1) return 'the first one did not end';
  return open.every(({ late }) => Number(late) === 1) ? 'well' : 'wait';
}
