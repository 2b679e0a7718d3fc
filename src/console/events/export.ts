import { stringify } from 'csv-stringify/sync';
import { toRfc3339 } from '../../base/clock.js';
import type { Database } from '../../database/database.js';
import type { OutboxEvent } from '../../entities/outbox-event.js';
import { audit, type Signature } from '../../operate/audit.js';
import type { EventFilter } from '../../operate/filter.js';
import { listEvents, parseCursor } from '../../operate/list.js';
import type { ConsoleContext } from '../context.js';

const EXPORT_MAX = 10_000;

const PAGE = 500;

export const exportFormats = ['csv', 'ndjson'] as const;

type ExportFormat = (typeof exportFormats)[number];

/** A text that a spreadsheet would take for a formula stays a text; a text of several lines is quoted. */
const csvOptions = {
  header: true,
  record_delimiter: 'windows',
  escape_formulas: true,
  quoted_match: /[\r\n]/,
} as const;

/** What the page shows of an event, and nothing more: no payload, no exchange. */
const columns = {
  id: (event: OutboxEvent) => event.id,
  type: (event: OutboxEvent) => event.type,
  status: (event: OutboxEvent) => event.status,
  outcome: (event: OutboxEvent) => event.outcome,
  orderId: (event: OutboxEvent) => event.subjectId,
  orderNo: (event: OutboxEvent) => event.subjectNo,
  attempt: (event: OutboxEvent) => event.attempt,
  failures: (event: OutboxEvent) => event.failures,
  error: (event: OutboxEvent) => event.lastErrorCode,
  cause: (event: OutboxEvent) => event.cause,
  requestId: (event: OutboxEvent) => event.requestId,
  runAt: (event: OutboxEvent) => toRfc3339(event.runAt),
  createdAt: (event: OutboxEvent) => toRfc3339(event.createdAt),
  settledAt: (event: OutboxEvent) => (event.settledAt ? toRfc3339(event.settledAt) : null),
} as const;

/**
 * The list of a filter as a file, at most 10,000 rows. The number of rows is in the audit before the first
 * byte leaves.
 */
export async function exportEvents(
  { reading, database }: Pick<ConsoleContext, 'reading' | 'database'>,
  { filter, query, format }: { filter: EventFilter; query: string; format: ExportFormat },
  act: Signature,
): Promise<string> {
  const rows = await readAll(reading, filter);
  await database.transaction((tx) =>
    audit(tx, act, {
      verb: 'export',
      targetType: 'events',
      targetId: format,
      subjectId: null,
      before: {},
      after: { query, rows: rows.length },
    }),
  );
  const shown = rows.map((event) =>
    Object.fromEntries(Object.entries(columns).map(([name, read]) => [name, read(event)])),
  );
  if (format === 'ndjson') return shown.map((row) => `${JSON.stringify(row)}\n`).join('');
  return stringify(shown, { ...csvOptions, columns: Object.keys(columns) });
}

async function readAll(reading: Database, filter: EventFilter): Promise<OutboxEvent[]> {
  const rows: OutboxEvent[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && rows.length < EXPORT_MAX) {
    const after = cursor === undefined ? undefined : parseCursor(cursor);
    const page = await listEvents(reading, filter, Math.min(PAGE, EXPORT_MAX - rows.length), after);
    rows.push(...page.rows);
    cursor = page.next;
  }
  return rows;
}
