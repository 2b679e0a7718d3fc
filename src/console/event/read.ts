import { type AlertGroup, loadGroup } from '../../alerts/group.js';
import type { Database } from '../../database/database.js';
import { sql } from '../../database/sql.js';

/** The alert group of a cause; null when it never rang. */
export async function groupOfCause(database: Database, cause: string): Promise<AlertGroup | null> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT id FROM alert WHERE group_key = ${cause}`);
  return row ? loadGroup(database, String(row.id)) : null;
}

export async function newestEventId(database: Database): Promise<string> {
  const [row] = await database.query<{ id: unknown }>(sql`SELECT MAX(id) AS id FROM outbox_event`);
  return String(row?.id ?? 0);
}
